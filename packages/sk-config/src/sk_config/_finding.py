"""A fault while it is being found: with its path as data, before it is written for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sk_config._path import Path, render_path
from sk_config._show import show
from sk_config.errors import Category, Fault


class Finding(NamedTuple):
    """What a check found; `got` may render the value at `path` and no other value."""

    path: Path
    category: Category
    expected: str
    got: str
    line: int | None = None


def to_faults(
    findings: Iterable[Finding], lines: Mapping[Path, int | None], placeholders: Mapping[Path, str]
) -> tuple[Fault, ...]:
    """Give the first finding of every path as a fault, masked, in the order of their lines.

    Later findings at a path are consequences of the first, save for duplicate keys, which have
    lines of their own.
    """
    faults: dict[tuple[Path, int | None], Fault] = {}
    for found in findings:
        masked = placeholders.get(found.path)
        got = found.got if masked is None else f"what {show(masked)} gives"
        fault = Fault(
            path=render_path(found.path),
            category=found.category,
            expected=found.expected,
            got=got,
            line=_line(found, lines),
        )
        faults.setdefault((found.path, found.line), fault)
    return tuple(sorted(faults.values(), key=lambda fault: fault.line or 0))


def _line(found: Finding, lines: Mapping[Path, int | None]) -> int | None:
    """Give the line of a finding, or else of the closest value around it of which it is known."""
    if found.line is not None or found.category == "override":
        return found.line
    for length in range(len(found.path), 0, -1):
        if found.path[:length] in lines:
            return lines[found.path[:length]]
    return None
