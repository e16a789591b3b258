"""The smoke report: one row per rule set, as a table to print, JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from parity import Fingerprint
from smoke_telemetry import SmokeTelemetry

SCHEMA = 1
EVENTS = "smoke-events.jsonl"
_COLUMNS = ("rules", "lines out", "rejected", "memory s", "4 processes s", "sha256", "equal")


@dataclass(frozen=True)
class SmokeCase:
    """Both profiles on one input under one rule set; seconds are whole processes, start to end."""

    rules: str
    seconds: Mapping[str, float]
    outputs: Mapping[str, Fingerprint]
    rejects: Mapping[str, Fingerprint]

    @property
    def ok(self) -> bool:
        """Whether outputs and rejects are the same bytes in both profiles, and not empty."""
        hashes = [{f.sha256 for f in files.values()} for files in (self.outputs, self.rejects)]
        return all(len(h) == 1 for h in hashes) and all(f.size for f in self.outputs.values())

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        four, rejects = self.outputs["multiprocess"], self.rejects["multiprocess"]
        times = [f"{self.seconds[name]:.2f}" for name in ("memory", "multiprocess")]
        counts = (f"{four.lines:,}", f"{rejects.lines:,}")
        return (self.rules, *counts, *times, four.sha256[:12], "yes" if self.ok else "NO")


@dataclass(frozen=True)
class SmokeReport:
    """All cases, and the input and environment that they share."""

    environment: Mapping[str, str]
    source: Fingerprint
    cases: tuple[SmokeCase, ...]
    telemetry: SmokeTelemetry

    @property
    def equal(self) -> bool:
        """Whether every case is."""
        return bool(self.cases) and all(case.ok for case in self.cases)

    @property
    def ok(self) -> bool:
        """Whether every case is, and no span was lost."""
        return self.equal and self.telemetry.ok

    def table(self) -> str:
        """The summary for a terminal."""
        rows = [_COLUMNS, *(case.cells() for case in self.cases)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
        verdict = "the same bytes in both profiles" if self.equal else "THE PROFILES DIFFER"
        said = [f"{self.source.label}: {verdict}", f"telemetry: {self.telemetry.line()}"]
        return "\n".join([*(line.rstrip() for line in lines), *said])


def write_smoke(report: SmokeReport, folder: Path) -> tuple[Path, Path]:
    """Write `smoke.json` and `smoke.md` into `folder`, which is made if need be; give the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "schema": SCHEMA,
        "ok": report.ok,
        "environment": dict(report.environment),
        "input": asdict(report.source),
        "telemetry": {"ok": report.telemetry.ok, **asdict(report.telemetry)},
        "cases": [
            {
                "rules": case.rules,
                "ok": case.ok,
                "seconds": {name: round(s, 3) for name, s in case.seconds.items()},
                "outputs": [asdict(f) for f in case.outputs.values()],
                "rejects": [asdict(f) for f in case.rejects.values()],
            }
            for case in report.cases
        ],
    }
    as_json, as_markdown = _files(folder)
    as_json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    as_markdown.write_text(_markdown(report), encoding="utf-8")
    return as_json, as_markdown


def keep_events(events: Path, folder: Path) -> None:
    """Keep the lifecycle events of the traced run, which a timeline can be drawn from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EVENTS).write_bytes(events.read_bytes())


def discard_smoke(folder: Path) -> None:
    """Remove an earlier report: a run that fails must not leave it to be taken for its own."""
    for path in (*_files(folder), folder / EVENTS):
        path.unlink(missing_ok=True)


def _files(folder: Path) -> tuple[Path, Path]:
    return folder / "smoke.json", folder / "smoke.md"


def _markdown(report: SmokeReport) -> str:
    environment = ", ".join(f"{name} {value}" for name, value in report.environment.items())
    source = report.source
    lines = [
        "# Smoke: fund load over four worker processes",
        "",
        f"Verdict: **{'the same bytes as in memory' if report.equal else 'DIFFERENT'}**",
        "",
        f"Telemetry: {report.telemetry.line()}.",
        "",
        f"Input: {source.label}, {source.lines:,} lines, {source.size:,} bytes,"
        f" SHA-256 `{source.sha256}`.",
        "",
        f"Environment: {environment}. Seconds are whole processes, start to end.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'---|' * len(_COLUMNS)}",
    ]
    lines += [f"| {' | '.join(case.cells())} |" for case in report.cases]
    return "\n".join(lines) + "\n"
