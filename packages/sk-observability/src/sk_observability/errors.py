"""Every exception of this package, by whose fault it is.

`ExporterSetupError` is the configuration's (for a file that cannot be opened: the machine's) and
comes before a run; `ExportFailedError` is the environment's, comes in mid-run, and never gets past
an `Outlet`. Neither holds anything that was to be exported, or a setting's value as it stands: what
another package's kind says of its settings is told with the line, and with their values masked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

FaultCategory = Literal[
    "unavailable",  # a kind that no installed package provides, or whose package does not load
    "unknown_key",  # a setting that the kind does not have
    "missing",  # a setting that must be there and is not
    "wrong_type",  # a setting of another type than the kind takes
    "bad_value",  # a setting of the right type that cannot be used
    "not_opened",  # settings that are right, and an exporter that could not be made all the same
]
"""The closed set of categories of an `ExporterFault`."""


@dataclass(frozen=True, slots=True)
class ExporterFault:
    """One fault of a configured exporter: where, what is accepted there, and what was there."""

    path: str
    """Dotted configuration path; a kind's own check gives it relative to the kind's settings."""
    category: FaultCategory
    expected: str
    got: str

    def __str__(self) -> str:
        """Give the fault as one line."""
        return f"{self.path}: {self.category}: expected {self.expected}; got {self.got}"


class ObservabilityError(Exception):
    """The base of all of them. It pickles and copies, with all of its fields."""

    # Not by calling the class again: what it is called with are fields, and not the message.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), {**vars(self), "args": self.args}


class ExporterSetupError(ObservabilityError):
    """Exporters cannot be made as configured: correct every line that the message lists.

    `faults` is never empty, and holds every fault that was found.
    """

    def __init__(self, faults: Iterable[ExporterFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class ExportFailedError(ObservabilityError):
    """An exporter could not pass on what it was given; the first `exported` items did go out.

    `reason` is what the rest is counted under: short, and one of few (`ENOSPC`, `timeout`).
    """

    def __init__(self, reason: str, exported: int = 0) -> None:
        self.reason, self.exported = reason, exported
        super().__init__(f"export failed after {exported} items: {reason}")
