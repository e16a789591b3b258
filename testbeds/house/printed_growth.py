"""The tables of cost as work grows, as the last report that was kept has them."""

from __future__ import annotations

from pathlib import Path

REPORT = Path(__file__).resolve().parents[2] / "reports" / "growth.md"


def growth_tables() -> str:
    """The report from its first table on, a step further down; without a report one line."""
    if not REPORT.exists():
        return "Not measured yet: `nox -s growth`."
    return tables_of(REPORT.read_text("utf-8"))


def tables_of(report: str) -> str:
    """The report from its first heading of the second level on, each a level lower."""
    _, found, tables = report.partition("\n## ")
    return (found + tables).replace("\n## ", "\n### ").strip()
