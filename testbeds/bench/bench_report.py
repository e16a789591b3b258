"""The report: what the session found, as one document for machines, and the verdict on it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench_environments import distributions, interpreter, versions
from bench_figures import Figure
from bench_programs import HAND, Programs
from bench_results import Results
from bench_systems import YARDSTICKS, System
from bench_targets import Row
from bench_variant_results import Variants, percent_more

SCHEMA = 1


@dataclass(frozen=True)
class Report:
    """All that the session found. ``programs`` is None where they were not asked for."""

    environment: Mapping[str, Any]
    input_sha256: Mapping[int, str]
    systems: Sequence[System]
    results: Results
    rows: Sequence[Row]
    programs: Programs | None = None

    @property
    def differing(self) -> list[str]:
        """The systems that wrote other bytes than their yardstick, and the sizes."""
        own = [
            f"{system.name} ({records:,})"
            for system in self.systems
            for records in system.sizes(self.results.records)
            if self.identical(system, records) is False
        ]
        theirs = self.programs.differing if self.programs else []
        variants = self.results.variants
        beside = [
            f"variant {name} ({variants.records:,})"
            for name in (variants.wrote if variants else ())
            if variants and not self.identical_variant(variants, name)
        ]
        return own + beside + theirs

    def identical_variant(self, variants: Variants, name: str) -> bool:
        """Tell whether all runs of a variant wrote what the yardstick did."""
        runs = self.results.runs.get((YARDSTICKS["exp_mp"], variants.records), ())
        return variants.identical(name, {(run.output_sha256, run.rejects_sha256) for run in runs})

    @property
    def unmeasured(self) -> list[str]:
        """The rows with a floor that it could not be held to."""
        rows = [row for row in self.rows if row.target.floor and row.target.binding]
        return [f"{row.target.id}, {row.target.what}" for row in rows if row.figure is None]

    @property
    def ok(self) -> bool:
        """Whether every output is identical, and no binding row is below its floor."""
        return not self.differing and not any(row.failed for row in self.rows)

    def identical(self, system: System, records: int) -> bool | None:
        """Tell whether all runs wrote what the yardstick did; None where nothing was compared.

        At a size that no yardstick ran at, they are compared with each other.
        """
        runs = self.results.runs
        own = runs.get((system.name, records), [])
        yardstick = runs.get((YARDSTICKS[system.rules], records), [])
        wrote = {(run.output_sha256, run.rejects_sha256) for run in own + yardstick}
        if not own or not system.writes:
            return None
        return len(wrote) == 1 and None not in next(iter(wrote))

    def ratio(self, system: System, records: int) -> Figure | None:
        """Give a system's steady speed by its yardstick's."""
        return self.results.speed(system.name, YARDSTICKS[system.rules], records)


def this_environment(systems: Sequence[System], environments: Path | None) -> dict[str, Any]:
    """Name interpreter, platform and versions, and how busy the machine was before."""
    load = os.getloadavg()[0]
    found = versions(interpreter(None, None), ["msgspec", "sk-fundload", "sk-supervisor"])
    for system in systems:
        if system.environment is not None and environments is not None:
            note = environments / system.environment / "installed.txt"
            if note.exists():
                python = interpreter(environments, system.environment)
                found |= versions(python, distributions(system.environment))
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "versions": found,
    }


def to_json(report: Report) -> str:
    """Give the text of ``bench.json``."""
    size = partial(_size, report)
    document = {
        "schema": SCHEMA,
        "ok": report.ok,
        "environment": dict(report.environment),
        "others_cores": [round(cores, 2) for cores in report.results.others],
        "inputs": _inputs(report.input_sha256),
        "targets": [_row(row) for row in report.rows],
        "systems": [_system(report.results, system, size) for system in report.systems],
        **_beside(report.results),
        **({"programs": _programs(report.programs)} if report.programs else {}),
    }
    return json.dumps(document, indent=2) + "\n"


def _row(row: Row) -> dict[str, Any]:
    target = row.target
    return {
        "id": target.id,
        "what": target.what,
        "target": target.target,
        "floor": target.floor,
        "at_most": target.most,
        "binding": target.binding,
        "unit": target.unit.strip(),
        "figure": _figure(row.figure),
        "on": row.on,
        "verdict": str(row.verdict),
    }


def _system(
    results: Results, system: System, size: Callable[[System, int], Mapping[str, Any]]
) -> dict[str, Any]:
    if system.name in results.absent:
        return {"name": system.name, "title": system.title, "absent": results.absent[system.name]}
    sizes = [n for n in system.sizes(results.records) if results.has(system.name, n)]
    return {
        "name": system.name,
        "title": system.title,
        "rules": system.rules,
        "sizes": {str(records): size(system, records) for records in sizes},
    }


def _size(report: Report, system: System, records: int) -> dict[str, Any]:
    return {
        "identical": report.identical(system, records),
        "ratio_to_yardstick": _figure(report.ratio(system, records)),
        **_measured(report.results, system.name, records),
    }


def _programs(programs: Programs) -> dict[str, Any]:
    if programs.absent:
        return {"absent": programs.absent}
    results, size = programs.results, partial(_program_size, programs)
    return {
        "others_cores": [round(cores, 2) for cores in results.others],
        "inputs": _inputs(programs.input_sha256),
        "systems": [_system(results, system, size) for system in programs.systems],
    }


def _program_size(programs: Programs, system: System, records: int) -> dict[str, Any]:
    results, name = programs.results, system.name
    return {
        "identical": programs.identical(system, records),
        "inside_ratio_to_yardstick": _figure(results.inside_speed(name, HAND, records)),
        "four_by_it": _figure(results.inside_speed("four", name, records)),
        "four_by_it_each_round": results.inside_ratios("four", name, records),
        **_measured(results, name, records),
    }


def _measured(results: Results, name: str, records: int) -> dict[str, Any]:
    peak = results.peaks.get((name, records))
    return {
        "steady_records_per_second": _figure(results.rate(name, records)),
        "inside_records_per_second": _figure(results.inside_rate(name, records)),
        "cpu_seconds": results.cpu_seconds(name, records),
        "peak": asdict(peak) if peak else None,
        "runs": [asdict(run) for run in results.runs[name, records]],
    }


def _beside(results: Results) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if results.asked:
        found["requests"] = [asdict(asked) for asked in results.asked]
    if results.sent:
        found["otlp"] = asdict(results.sent)
    if results.variants:
        found["variants"] = _variants(results.variants)
    alone = {str(n): peak for (_, n), peak in results.peaks.items() if n > max(results.records)}
    if alone:
        found["memory_alone"] = {n: asdict(peak) for n, peak in alone.items()}
    return found


def _variants(variants: Variants) -> dict[str, Any]:
    return {
        "records": variants.records,
        "others_cores": [round(cores, 2) for cores in variants.others],
        "start_cpu_seconds": variants.starts,
        "by_name": {
            name: {
                "steady_percent_more": _figure(percent_more(variants.by_plain(name))),
                "processor_percent_more": _figure(percent_more(variants.processor_by_plain(name))),
                "runs": [
                    {part: run._asdict() for part, run in between._asdict().items()}
                    for between in runs
                ],
            }
            for name, runs in variants.runs.items()
        },
        "accounts": {
            name: [account._asdict() for account in accounts]
            for name, accounts in variants.accounts.items()
        },
    }


def _inputs(sha256: Mapping[int, str]) -> dict[str, Any]:
    return {str(records): {"sha256": sha} for records, sha in sorted(sha256.items())}


def _figure(figure: Figure | None) -> dict[str, Any] | None:
    return asdict(figure) if figure else None
