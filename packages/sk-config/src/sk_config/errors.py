"""The only exception of this package, which contains all faults of a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Category = Literal[
    "unknown_key",  # a key that the configuration does not have
    "missing",  # a required key that is not there
    "wrong_type",  # a value of the wrong type for the key
    "bad_value",  # a value of the right type that the key does not accept
    "conflict",  # two parts of the configuration that contradict each other
    "override",  # a PATH=VALUE that cannot be applied
    "secret",  # a placeholder whose variable or file cannot be read
    "syntax",  # text that is not valid YAML or JSON, or uses unsupported syntax
    "too_large",  # a document beyond the limits of size, depth or alias expansion
    "unreadable",  # a file that cannot be read, or is not UTF-8
]
"""The closed set of fault categories."""

CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
"""All values of `Category`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a configuration; its texts contain neither a secret nor a long value."""

    path: str
    """For example `runtime.platform.process_groups[1].workers`; empty for the whole document."""
    category: Category
    """The kind of fault."""
    expected: str
    """What is accepted there."""
    got: str
    """What was found, shortened; for a value from a placeholder, the placeholder."""
    line: int | None = None
    """The line in the YAML or JSON text (from 1), if known."""

    def __str__(self) -> str:
        """Return the fault as one line of text."""
        place = self.path or "(document)"
        at = f" (line {self.line})" if self.line is not None else ""
        return f"{place}: {self.category}: expected {self.expected}; got {self.got}{at}"


class ConfigError(Exception):
    """Raised if a configuration has faults: correct every line that the message lists.

    `faults` is never empty; `origin` is the file (or other source) that was read.
    """

    def __init__(self, faults: tuple[Fault, ...], origin: str) -> None:
        super().__init__(faults, origin)
        self.faults = faults
        self.origin = origin

    def __str__(self) -> str:
        """Return a heading and one line per fault."""
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        heading = f"{self.origin}: {count} in the configuration"
        return "\n".join([heading, *(f"  {fault}" for fault in self.faults)])
