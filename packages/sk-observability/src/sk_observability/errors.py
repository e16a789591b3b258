"""Every exception of this package, by whose fault it is.

`ExporterSetupError` is a fault of the configuration (or of the machine, if a file cannot be opened)
and is raised before a run. `ExportFailedError` is a fault of the environment, is raised during a
run, and never leaves an `Outlet`. Neither contains exported data or a setting's plain value: an
error raised by another package's kind is reported with its line, and with the settings masked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

FaultCategory = Literal[
    "unavailable",  # a kind that no installed package provides, or whose package fails to import
    "unknown_key",  # a setting that the kind does not have
    "missing",  # a setting that must be there and is not
    "wrong_type",  # a setting of another type than the kind takes
    "bad_value",  # a setting of the right type that cannot be used
    "not_opened",  # valid settings, with which the exporter could still not be made
]
"""The closed set of categories of an `ExporterFault`."""


@dataclass(frozen=True, slots=True)
class ExporterFault:
    """One fault of a configured exporter: its path, what is accepted there, and what was found."""

    path: str
    """Dotted configuration path; a kind's own check returns it relative to the kind's settings."""
    category: FaultCategory
    expected: str
    got: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        return f"{self.path}: {self.category}: expected {self.expected}; got {self.got}"


class ObservabilityError(Exception):
    """The base class of this package's exceptions. Pickling and copying keep all fields."""

    # The default would call the class with `args`, which holds the message and not the fields.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), {**vars(self), "args": self.args}


class ExporterSetupError(ObservabilityError):
    """Raised if exporters cannot be made as configured: correct every line of the message.

    `faults` is never empty, and holds every fault that was found.
    """

    def __init__(self, faults: Iterable[ExporterFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class ExportFailedError(ObservabilityError):
    """Raised if an exporter could not export all items; the first `exported` of them went out.

    The others are counted as dropped under `reason`: short, and one of a few (`ENOSPC`, `timeout`).
    """

    def __init__(self, reason: str, exported: int = 0) -> None:
        self.reason, self.exported = reason, exported
        super().__init__(f"export failed after {exported} items: {reason}")
