"""The report for people: the targets first, then every system at every size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench_cells import USE, noise, ran_on, rate, ratio, table, use
from bench_programs_markdown import section
from bench_report import Report
from bench_systems import YARDSTICKS, System
from bench_targets import Row, Verdict
from bench_variants import PLAIN
from bench_variants_markdown import variants_section

_TARGETS = ("", "what", "target", "floor", "found", "noise", "on", "verdict")
_SYSTEMS = (
    "system",
    "rules",
    "steady records/s",
    "by H",
    "noise",
    "inside records/s",
    *USE,
)


def to_markdown(report: Report, *, plot: str | None) -> str:
    """Give the text of ``bench.md``; ``plot`` is the name of the picture beside it, if any."""
    blocks = [
        ["# Fund load, side by side", "", _verdict(report), "", ran_on(report.environment)],
        [_yardstick(report)] if _yardstick(report) else [],
        [f"![steady speed of every system by H]({plot})"] if plot else [],
        ["## Targets", "", *table(_TARGETS, map(_target, report.rows))],
        *(
            [f"## {records:,} records", "", *table(_SYSTEMS, _rows(report, records))]
            for records in sorted(report.input_sha256, reverse=True)
            if any(report.results.has(system.name, records) for system in report.systems)
        ),
        variants_section(report),
        _memory(report),
        _absent(report),
        _inputs(report),
        section(report.programs) if report.programs else [],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def verdict_lines(report: Report) -> list[str]:
    """Say in plain lines how the session ended, for a terminal."""
    rows = [
        f"{row.target.id:<4} {row.target.what:<60} {_value(row):>9}  {noise(row.figure):<15}"
        f" {row.verdict}"
        for row in report.rows
    ]
    return [*rows, _verdict(report).replace("**", "")]


def _verdict(report: Report) -> str:
    below = [f"{row.target.id}, {row.target.what}" for row in report.rows if row.failed]
    words = "All outputs are identical"
    if report.differing:
        words = f"**OUTPUTS DIFFER: {', '.join(report.differing)}**"
    if below:
        return f"{words}. **Below the floor: {'; '.join(below)}.**"
    busy = [row.target.id for row in report.rows if row.verdict is Verdict.BUSY]
    if busy:
        return f"{words}. **Others used the machine: {', '.join(busy)} not judged.**"
    return f"{words}. No binding row is below its floor by more than the noise."


def _yardstick(report: Report) -> str:
    said = []
    for rules, name in YARDSTICKS.items():
        largest = report.results.largest(name)
        speed = largest and report.results.rate(name, largest)
        if speed:
            cost = speed.inverted().scaled(1e6)
            said.append(f"{rules} {speed.value:,.0f} records/s ({cost.value:.2f} us a record)")
    return f"`H`, the yardstick, in its steady state: {'; '.join(said)}." if said else ""


def _target(row: Row) -> Iterable[str]:
    target = row.target
    sign = "<= " if target.most else ">= "
    floor = "" if target.floor is None else f"{sign}{target.floor:g}"
    wanted = f"{sign}{target.target:g}{target.unit}"
    return (
        target.id,
        target.what,
        wanted,
        floor,
        _value(row),
        noise(row.figure),
        row.on,
        str(row.verdict),
    )


def _rows(report: Report, records: int) -> Iterator[Iterable[str]]:
    for system in report.systems:
        if report.results.has(system.name, records):
            yield _row(report, system, records)


def _row(report: Report, system: System, records: int) -> Iterable[str]:
    results, name = report.results, system.name
    by_yardstick = report.ratio(system, records)
    return (
        system.title,
        system.rules,
        rate(results.rate(name, records)),
        ratio(by_yardstick),
        noise(by_yardstick),
        rate(results.inside_rate(name, records)),
        *use(results, name, records, identical=report.identical(system, records)),
    )


def _memory(report: Report) -> list[str]:
    """What each of four processes takes at most: what has state grows, the others should not."""
    peaks = {
        n: peak.by_process for (name, n), peak in report.results.peaks.items() if name == PLAIN
    }
    if not peaks:
        return []
    sizes = sorted(peaks)
    rows = (
        [process, *(f"{peaks[n][process]:.0f}" if process in peaks[n] else "" for n in sizes)]
        for process in sorted({process for by_process in peaks.values() for process in by_process})
    )
    head = ["peak RSS in MiB, by records", *(f"{n:,}" for n in sizes)]
    return ["## Memory of four processes", "", *table(head, rows)]


def _absent(report: Report) -> list[str]:
    rows = [f"- `{name}`: absent: {reason}" for name, reason in report.results.absent.items()]
    return ["## Absent", "", *rows] if rows else []


def _inputs(report: Report) -> list[str]:
    rows = ([f"{n:,}", f"`{sha}`"] for n, sha in sorted(report.input_sha256.items()))
    return ["## Inputs", "", *table(("records", "SHA-256"), rows)]


def _value(row: Row) -> str:
    target = row.target
    return f"{row.figure.value:,.{target.places}f}{target.unit}" if row.figure else ""
