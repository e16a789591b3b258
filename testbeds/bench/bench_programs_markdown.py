"""The section of the report about the specification's programs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from bench_cells import USE, rate, ratio, table, use
from bench_programs import HAND, Programs
from bench_systems import System

_HEAD = (
    "system",
    "steady records/s",
    "by H",
    "four processes by it",
    "least to most",
    "rounds",
    "from outside, records/s",
    *USE,
)
_SAID = (
    "These are the programs that the targets were set by, run as they are on input of their own"
    " generator, and ours beside them in the same rounds, all under `exp_mp`. Their rules are less"
    " than the job: a repeated id is refused and replay not told from conflict, and no account is"
    " kept of unreadable lines and of reasons; ours do that here, too, though no line of this input"
    " is unreadable. The peers of the tables above do the whole job, and their stages are made of"
    " the helpers that were tuned for ours: so they are the harder opponents. `steady` is from the"
    " first record read to the last byte written, as each system itself tells."
)


def section(programs: Programs) -> list[str]:
    """Give its lines."""
    head = ["## The specification's programs", ""]
    if programs.absent:
        return [*head, f"Not measured: {programs.absent}."]
    lines = [*head, _SAID, *_busy(programs)]
    for records in sorted(programs.input_sha256, reverse=True):
        ran = [system for system in programs.systems if programs.results.has(system.name, records)]
        rows = [_row(programs, system, records) for system in ran]
        lines += ["", f"### Theirs, {records:,} records", "", *table(_HEAD, rows)]
    absent = programs.results.absent.items()
    lines += ["", *(f"- `{name}`: absent: {why}" for name, why in absent)] if absent else []
    inputs = ((f"{n:,}", f"`{sha}`") for n, sha in sorted(programs.input_sha256.items()))
    return [*lines, "", *table(("records of their generator", "SHA-256"), inputs)]


def _busy(programs: Programs) -> list[str]:
    others = programs.results.others
    if not others:
        return []
    used = f"{statistics.median(others):.2f} of {programs.results.cores} cores"
    return ["", f"Others used {used} meanwhile, in the median of {len(others)} rounds."]


def _row(programs: Programs, system: System, records: int) -> Iterable[str]:
    results, name = programs.results, system.name
    ours = sorted(results.inside_ratios("four", name, records))
    return (
        system.title,
        rate(results.inside_rate(name, records)),
        ratio(results.inside_speed(name, HAND, records)),
        ratio(results.inside_speed("four", name, records)),
        f"{ours[0]:.2f} to {ours[-1]:.2f}" if ours else "",
        str(len(results.walls(name, records))),
        rate(results.rate(name, records)),
        *use(results, name, records, identical=programs.identical(system, records)),
    )
