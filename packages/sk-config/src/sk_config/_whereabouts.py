"""The locations of a configuration's values: its file, and the line of each value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sk_config._path import Path, parse_path


@dataclass(frozen=True, slots=True, eq=False)
class Whereabouts:
    """The file and lines that a configuration was read from.

    All instances compare equal, so that two configurations with the same values are equal.
    """

    origin: str = ""
    lines: Mapping[Path, int | None] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Whereabouts)

    def __hash__(self) -> int:
        return hash(Whereabouts)

    def of(self, text: str) -> str:
        """Return file and line of the value at a path, or of an enclosing one; else empty."""
        line = line_at(parse_path(text) or (), self.lines)
        return "" if line is None else f"{self.origin}, line {line}"


def line_at(path: Path, lines: Mapping[Path, int | None]) -> int | None:
    """Return the line of a value, or else of the closest enclosing value with a known line.

    A value set by an override has no line (None).
    """
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None
