"""The table of lifecycle events in docs/events.md, as data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from source_tree import ROOT

PAGE = ROOT / "docs" / "events.md"
HEADER = "| event | level | scope | fields | emitted |\n"

_CODE = re.compile("`([^`]+)`")
_PLANE_AND_CATEGORY = re.compile("(data|control)[.][a-z_]+")


class Documented(NamedTuple):
    """A row: what the page says of an event."""

    level: str
    of: str
    fields: frozenset[str]

    def lacks(self, fields: Iterable[str]) -> list[str]:
        """The fields that the row does not name; ``plane.category`` names any such pair."""
        pairs = self.fields & {"plane.category"}
        return sorted(
            name
            for name in set(fields) - self.fields
            if not (pairs and _PLANE_AND_CATEGORY.fullmatch(name))
        )


def documented_events() -> Mapping[str, Documented]:
    """The rows by name. Raises ValueError where the page lacks the table, or has a row twice."""
    table = PAGE.read_text("utf-8").partition(HEADER)[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[1:]]
    events = {
        _CODE.findall(name)[0]: Documented(level.split()[0], of, frozenset(_CODE.findall(fields)))
        for name, level, of, fields, _ in rows
    }
    if not events or len(events) < len(rows):
        raise ValueError(f"{PAGE.name} has no such table, or an event twice")
    return events
