"""The cells of tables in Markdown, and the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench_figures import Figure
from bench_results import Results

USE = ("whole process s", "CPU s", "peak RSS MiB", "PSS MiB", "identical")
"""The head of what `use` gives."""


def table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Give the lines of a table."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]


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
