"""The isolation of exporters from the run, and of each from the others."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from sk_observability._exporting.account import Account
from sk_observability._exporting.exporter import DeferredExporter, Exporter, HurriedExporter
from sk_observability._exporting.reasons import CLOSED, UNACCOUNTED, failure_of

_State = tuple[int, dict[str, int]]
T = TypeVar("T")


class ExporterCounts(msgspec.Struct, frozen=True):
    """What became of the items that one exporter was given.

    created = exported + dropped + pending, and nothing is pending once it is closed. `dropped` is
    by reason: an errno's name, what an `ExportFailedError` or the exporter's account says, the type
    of any other exception, or `closed`. `close_failure` is why it did not close, if so.
    """

    kind: str
    created: int = 0
    exported: int = 0
    dropped: dict[str, int] = {}
    close_failure: str | None = None
    pending: int = 0


class Outlet(Generic[T]):
    """One exporter, named by its kind, isolated and counted. Safe in any thread."""

    def __init__(self, kind: str, exporter: Exporter[T]) -> None:
        self._exporter = exporter
        self._deferred = exporter if isinstance(exporter, DeferredExporter) else None
        self._counts = ExporterCounts(kind)  # of a deferred exporter: what its account has not
        self._settled: _State | None = None  # what its account had when it was closed
        self._closed = False
        self._lock = threading.Lock()

    @property
    def counts(self) -> ExporterCounts:
        """The counts after the last export; never waits for one that is under way."""
        if self._deferred is None:
            return self._counts  # replaced as a whole, hence always consistent
        # In this order: what the account has, the counts then have as created.
        exported, dropped = self._settled or self._deferred.account.state()
        return _merged(self._counts, exported, dropped)

    def export(self, items: Sequence[T]) -> None:
        """Have the exporter pass the items on; count them, whatever it does."""
        size = len(items)
        with self._lock:
            if self._closed:
                self._count(size, dropped={CLOSED: size})
            elif self._deferred is not None:
                self._count(size)  # first: the account may have them at any moment
                if failure := failure_of(partial(self._exporter.export, items)):
                    self._count(0, dropped={failure.reason: size})
            else:
                failure = failure_of(partial(self._exporter.export, items))
                done = min(max(failure.exported, 0), size) if failure else size
                self._count(size, done, {failure.reason: size - done} if failure else {})

    def missed(self, count: int, reason: str) -> None:
        """Count items that came to nothing before the exporter could be given them."""
        with self._lock:
            self._count(count, dropped={reason: count})

    def finish(self, within_seconds: float = math.inf) -> None:
        """Have an exporter that sends later begin to send what it holds. Does not wait.

        `within_seconds` is all that finishing and closing may take from now on, where that is less
        than what it was built with, and the exporter is one that can be hurried.
        """
        if self._deferred is None or self._closed:
            return
        if within_seconds < math.inf and isinstance(self._exporter, HurriedExporter):
            self._end(partial(self._exporter.close_within, within_seconds))
        self._end(self._deferred.finish)

    def close(self) -> None:
        """Close the exporter, once; a failure is noted in the counts, which are then final.

        They are so too where an interrupt cuts the close short.
        """
        first = False
        try:
            with self._lock:
                first, self._closed = not self._closed, True
            if first:
                self._end(self._exporter.close)
        finally:
            if first and self._deferred is not None:
                self._settle(self._deferred.account)

    def _settle(self, account: Account) -> None:
        with self._lock:
            exported, dropped = account.state()
            pending = _merged(self._counts, exported, dropped).pending
            self._settled = exported, _sum(dropped, {UNACCOUNTED: pending})

    def _end(self, how: Callable[[], object]) -> None:
        if failure := failure_of(how):
            with self._lock:
                self._counts = replace(self._counts, close_failure=failure.reason)

    def _count(
        self, size: int, exported: int = 0, dropped: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        counts = self._counts
        self._counts = replace(
            counts,
            created=counts.created + size,
            exported=counts.exported + exported,
            dropped=_sum(counts.dropped, dropped),
        )


def _merged(counts: ExporterCounts, exported: int, dropped: Mapping[str, int]) -> ExporterCounts:
    everything = _sum(counts.dropped, dropped)
    pending = counts.created - exported - sum(everything.values())
    return replace(counts, exported=exported, dropped=everything, pending=pending)


def _sum(one: dict[str, int], other: Mapping[str, int]) -> dict[str, int]:
    if not any(other.values()):
        return one
    return {k: n for k in (*one, *other) if (n := one.get(k, 0) + other.get(k, 0))}
