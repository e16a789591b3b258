"""The isolation of exporters from the run, and of each from the others."""

from __future__ import annotations

import errno
import threading
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from sk_observability._exporter import Exporter
from sk_observability.errors import ExportFailedError

T = TypeVar("T")

CLOSED = "closed"
"""The reason under which items are counted that came after the close."""


class ExporterCounts(msgspec.Struct, frozen=True):
    """What became of the items that one exporter was given: created = exported + dropped.

    `dropped` is by reason: an errno's name, what an `ExportFailedError` says, the type of any other
    exception, or `closed`. `close_failure` is the reason why the exporter did not close, if so.
    """

    kind: str
    created: int = 0
    exported: int = 0
    dropped: dict[str, int] = {}
    close_failure: str | None = None


class Outlet(Generic[T]):
    """One exporter, named by its kind, isolated and counted. Safe in any thread."""

    def __init__(self, kind: str, exporter: Exporter[T]) -> None:
        self._exporter, self._counts = exporter, ExporterCounts(kind)
        self._closed = False
        self._lock = threading.Lock()

    @property
    def counts(self) -> ExporterCounts:
        """The counts after the last export; never waits for one that is under way."""
        return self._counts  # replaced as a whole, hence always consistent

    def export(self, items: Sequence[T]) -> None:
        """Have the exporter pass the items on; count them, whatever it does."""
        with self._lock:
            if self._closed:
                return self._count(len(items), 0, CLOSED)
            # Isolation is the promise here, whoever wrote the exporter: hence any exception.
            try:
                self._exporter.export(items)
            except Exception as error:  # noqa: BLE001
                done = error.exported if isinstance(error, ExportFailedError) else 0
                self._count(len(items), min(max(done, 0), len(items)), reason_of(error))
            else:
                self._count(len(items), len(items), "")

    def close(self) -> None:
        """Close the exporter, once; a failure is noted in the counts."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._exporter.close()
            except Exception as error:  # noqa: BLE001 - as above
                self._counts = replace(self._counts, close_failure=reason_of(error))

    def _count(self, size: int, exported: int, reason: str) -> None:
        counts = self._counts
        dropped = counts.dropped
        if lost := size - exported:
            dropped = {**dropped, reason: dropped.get(reason, 0) + lost}
        self._counts = replace(
            counts,
            created=counts.created + size,
            exported=counts.exported + exported,
            dropped=dropped,
        )


def reason_of(error: Exception) -> str:
    """Give what a failure is counted under: never its message, which may hold anything."""
    match error:
        case ExportFailedError():
            return error.reason
        case OSError(errno=int(number)) if number in errno.errorcode:
            return errno.errorcode[number]
    return type(error).__name__
