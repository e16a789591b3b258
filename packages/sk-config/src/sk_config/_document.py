"""A document as read from text: its value, its faults, and the lines of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sk_config._finding import Finding
from sk_config._path import Path


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader of YAML or JSON makes of a text.

    `value` is plain data, `lines` gives the line (from 1) of the value at each path, as far as the
    reader knows it. Where `has_value` is False the text could not be read to its end: `findings`
    says why, and `value` means nothing.
    """

    value: Any
    findings: tuple[Finding, ...] = ()
    lines: Mapping[Path, int] = field(default_factory=dict)
    has_value: bool = True


def without_value(finding: Finding) -> Document:
    """Give the document of a text that could not be read, for the reason in `finding`."""
    return Document(value=None, findings=(finding,), has_value=False)
