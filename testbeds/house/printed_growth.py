"""The tables of cost as work grows, from the committed report `reports/growth.md`."""

from __future__ import annotations

from pathlib import Path

REPORT = Path(__file__).resolve().parents[2] / "reports" / "growth.md"


def growth_tables() -> str:
    """The tables of the report, with headings one level lower; without a report one line."""
    if not REPORT.exists():
        return "Not measured yet: `nox -s growth`."
    return tables_of(REPORT.read_text("utf-8"))


def tables_of(report: str) -> str:
    """A report from its first heading of level two on, with headings one level lower."""
    _, found, tables = report.partition("\n## ")
    return (found + tables).replace("\n## ", "\n### ").strip()
