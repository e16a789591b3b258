"""The cells of tables in Markdown, and the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench_figures import Figure
from bench_results import Results

USE = ("whole process s", "CPU s", "peak RSS MiB", "PSS MiB", "identical")
"""The head of what `use` gives."""


def table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Give the lines of a table."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]


def ran_on(environment: Mapping[str, Any], rounds: int | None = None) -> str:
    """Give the sentences on the machine, and on how many rounds there were, if told."""
    versions = environment["versions"].items()
    found = ", ".join(f"{name} {version}" for name, version in versions)
    counted = "" if rounds is None else f", rounds: {rounds}"
    return (
        f"{environment['python']} on {environment['system']}, {environment['cores']} cores, load"
        f" before {environment['load_before']}{counted}. {found}. How it is measured:"
        " `testbeds/bench/README.md`."
    )


def noise(figure: Figure | None) -> str:
    """Give the ends of a noise band."""
    if figure is None:
        return ""
    if figure.low is None or figure.high is None:
        return "unknown"
    return f"{figure.low:.2f} to {figure.high:.2f}"


def rate(figure: Figure | None) -> str:
    """Give records a second."""
    return f"{figure.value:,.0f}" if figure else ""


def ratio(figure: Figure | None) -> str:
    """Give a quotient."""
    return f"{figure.value:.2f}" if figure else ""


def use(results: Results, name: str, records: int, *, identical: bool | None) -> Sequence[str]:
    """Give what a system's whole runs took, and whether all wrote what they are to write."""
    peak, cpu = results.peaks.get((name, records)), results.cpu_seconds(name, records)
    walls = sorted(results.walls(name, records))
    return (
        f"{walls[len(walls) // 2]:.2f} ({walls[0]:.2f} to {walls[-1]:.2f})",
        "" if cpu is None else f"{cpu:.2f}",
        f"{peak.rss_mib:.0f}" if peak and peak.rss_mib else "",
        f"{peak.pss_mib:.0f}" if peak and peak.pss_mib else "",
        {True: "yes", False: "**NO**", None: ""}[identical],
    )
