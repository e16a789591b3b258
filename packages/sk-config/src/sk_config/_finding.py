"""Findings of checks, with their paths as data; `to_faults` converts them to faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sk_config._path import Path, render_path
from sk_config._show import show
from sk_config._whereabouts import line_at
from sk_config.errors import Category, Fault


class Finding(NamedTuple):
    """The result of a check, with the fields of a `Fault`.

    `got` may show the value at `path` and no other: if that came from a placeholder, `to_faults`
    shows the placeholder instead.
    """

    path: Path
    category: Category
    expected: str
    got: str
    line: int | None = None


def to_faults(
    findings: Iterable[Finding], lines: Mapping[Path, int | None], placeholders: Mapping[Path, str]
) -> tuple[Fault, ...]:
    """Return the first finding of every path as a fault, in the order of their lines.

    `lines` maps paths to the lines of their values, if known; `placeholders` maps them to the
    written text of values with placeholders. Later findings at the same path are consequences of
    the first and left out, unless they have a line of their own (duplicate keys).
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
    """Return the line of a finding, or else of the closest enclosing value with a known line."""
    if found.line is not None or found.category == "override":
        return found.line
    return line_at(found.path, lines)
