"""Where the values of a configuration stand: its file, and the line of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sk_config._path import Path, parse_path


@dataclass(frozen=True, slots=True, eq=False)
class Whereabouts:
    """What a configuration was read from; all are equal, since that is no part of what it says."""

    origin: str = ""
    lines: Mapping[Path, int | None] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Whereabouts)

    def __hash__(self) -> int:
        return hash(Whereabouts)

    def of(self, text: str) -> str:
        """Give file and line of the value at a path, or of what is around it; else nothing."""
        line = line_at(parse_path(text) or (), self.lines)
        return "" if line is None else f"{self.origin}, line {line}"


def line_at(path: Path, lines: Mapping[Path, int | None]) -> int | None:
    """Give the line of a value, or else that of the closest value around it with a known line.

    What an override has set has none.
    """
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None
