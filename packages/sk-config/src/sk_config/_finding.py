"""A fault as a check finds it, with its path as data; `to_faults` writes it for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sk_config._path import Path, render_path
from sk_config._show import show
from sk_config._whereabouts import line_at
from sk_config.errors import Category, Fault


class Finding(NamedTuple):
    """What a check found, in the fields of a `Fault`.

    `got` may show the value at `path` and no other: where that came from a placeholder, `to_faults`
    puts the placeholder in its place.
    """

    path: Path
    category: Category
    expected: str
    got: str
    line: int | None = None


def to_faults(
    findings: Iterable[Finding], lines: Mapping[Path, int | None], placeholders: Mapping[Path, str]
) -> tuple[Fault, ...]:
    """Give the first finding of every path as a fault, in the order of their lines.

    `lines` gives the line of the value at a path, where it is known; `placeholders` the text of a
    value that came from one. Later findings at a path follow from the first one and are left out;
    those with a line of their own, as duplicate keys have, do not.
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
    """Give the line of a finding, or else that of the closest value around it with a known line."""
    if found.line is not None or found.category == "override":
        return found.line
    return line_at(found.path, lines)
