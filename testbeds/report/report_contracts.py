"""The contract matrix as a reader sees it: phases with their counts, and a word for each result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RESULTS = ("passed", "failed", "missing", "skipped")


@dataclass(frozen=True)
class Phase:
    """One phase of the catalogue with its rows."""

    key: str
    name: str
    rows: Sequence[Mapping[str, Any]]

    @property
    def ok(self) -> bool:
        """Whether none of its ids is failed or missing."""
        return all(row["result"] in ("passed", "skipped") for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many of its ids came to what, without what none came to."""
        return counted(self.rows)


def phases(document: Mapping[str, Any]) -> list[Phase]:
    """The phases of a matrix, in the order of the catalogue."""
    return [
        Phase(key, name, [row for row in document["contracts"] if row["phase"] == key])
        for key, name in document["phases"].items()
    ]


def counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many ids came to each result."""
    counts = Counter(row["result"] for row in rows)
    return {result: counts[result] for result in RESULTS if counts[result]}


def on_engine(row: Mapping[str, Any], engine: str) -> str:
    """What an id came to on an engine; empty where it does not apply."""
    return str(row["engines"].get(engine, ""))


def tests_of(row: Mapping[str, Any]) -> list[str]:
    """The tests of an id without their parameters, each once."""
    return list(dict.fromkeys(proof["test"].partition("[")[0] for proof in row["tests"]))


def to_markdown(document: Mapping[str, Any]) -> str:
    """The matrix for a terminal, a review or a repository's page."""
    lines = ["# Contracts", "", f"Verdict: **{'all proven' if document['ok'] else 'NOT PROVEN'}**"]
    lines += ["", *(f"- {fault}" for fault in document["faults"])]
    engines = list(document["engines"])
    for phase in phases(document):
        counts = ", ".join(f"{count} {result}" for result, count in phase.counts.items())
        lines += ["", f"## Phase {phase.key}: {phase.name} ({counts})", ""]
        heading = ["id", "says", "package", "result", *engines, "tests", "seconds"]
        lines += [_line(heading), f"|{'---|' * len(heading)}"]
        lines += [_line(_cells(row, engines)) for row in phase.rows]
    return "\n".join(lines) + "\n"


def _cells(row: Mapping[str, Any], engines: Sequence[str]) -> list[str]:
    result = row["result"] if row["result"] == "passed" else f"**{row['result']}**"
    cells = [row["id"], row["says"], row["package"], result]
    cells += [on_engine(row, engine) for engine in engines]
    return [*cells, str(len(row["tests"])), f"{row['seconds']:.2f}"]


def _line(cells: Sequence[str]) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"
