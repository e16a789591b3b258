"""A document read from text: its value, its faults, and the lines of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sk_config._finding import Finding
from sk_config._path import Path


@dataclass(frozen=True, slots=True)
class Document:
    """The result of reading a YAML or JSON text.

    `value` is plain data, `lines` maps the path of each value to its line (from 1), if the reader
    knows it. If `has_value` is False the text could not be read to its end: `findings` has the
    reason, and `value` is meaningless.
    """

    value: Any
    findings: tuple[Finding, ...] = ()
    lines: Mapping[Path, int] = field(default_factory=dict)
    has_value: bool = True


def without_value(finding: Finding) -> Document:
    """Return the document of a text that could not be read, for the reason in `finding`."""
    return Document(value=None, findings=(finding,), has_value=False)
