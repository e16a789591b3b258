"""Span conservation as a reader sees it: the accounts of the smoke's traced run, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SpanBooks:
    """How many spans each account has, and how many traces are whole."""

    ok: bool
    records: int
    whole: int
    accounts: Mapping[str, int]
    problems: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """In a word or two."""
        return "nothing lost" if self.ok else "SPANS ARE LOST"


def span_books(document: Mapping[str, Any]) -> SpanBooks | None:
    """The telemetry of ``smoke.json``; None for a smoke that traced nothing."""
    found = document.get("telemetry")
    if not found:
        return None
    exported = {f"exported by {name}": count for name, count in found["exported"].items()}
    accounts = {
        "created": found["created"],
        **exported,
        "dropped": found["dropped"],
        "written to a file": found["written"],
        "taken by an OTLP receiver": found["received"],
    }
    problems = tuple(found["problems"])
    return SpanBooks(found["ok"], found["records"], found["whole"], accounts, problems)
