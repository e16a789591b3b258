"""The isolation of exporters from the run and from each other."""

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
    """The outcomes of the items that were passed to one exporter.

    created = exported + dropped + pending, and nothing is pending after it is closed. `dropped` is
    by reason: an errno's name, the reason of an `ExportFailedError` or of the exporter's account,
    the type of any other exception, or `closed`. `close_failure` is the reason why closing failed.
    """

    kind: str
    created: int = 0
    exported: int = 0
    dropped: dict[str, int] = {}
    close_failure: str | None = None
    pending: int = 0


class Outlet(Generic[T]):
    """Calls one exporter, contains its failures and counts its items. Safe in any thread."""

    def __init__(self, kind: str, exporter: Exporter[T]) -> None:
        self._exporter = exporter
        self._deferred = exporter if isinstance(exporter, DeferredExporter) else None
        self._counts = ExporterCounts(kind)  # deferred exporter: only what its account lacks
        self._settled: _State | None = None  # the state of its account when it was closed
        self._closed = False
        self._lock = threading.Lock()

    @property
    def counts(self) -> ExporterCounts:
        """The counts after the last completed export; does not wait for one in progress."""
        if self._deferred is None:
            return self._counts  # replaced as a whole, so always consistent
        # The account is read first: every item in it is then already counted as created.
        exported, dropped = self._settled or self._deferred.account.state()
        return _merged(self._counts, exported, dropped)

    def export(self, items: Sequence[T]) -> None:
        """Pass the items to the exporter and count their outcome; contain what it raises."""
        size = len(items)
        with self._lock:
            if self._closed:
                self._count(size, dropped={CLOSED: size})
            elif self._deferred is not None:
                self._count(size)  # first: the account may count them at any moment
                if failure := failure_of(partial(self._exporter.export, items)):
                    self._count(0, dropped={failure.reason: size})
            else:
                failure = failure_of(partial(self._exporter.export, items))
                done = min(max(failure.exported, 0), size) if failure else size
                self._count(size, done, {failure.reason: size - done} if failure else {})

    def missed(self, count: int, reason: str) -> None:
        """Count items as dropped that were lost before they could be passed to the exporter."""
        with self._lock:
            self._count(count, dropped={reason: count})

    def finish(self, within_seconds: float = math.inf) -> None:
        """Have a `DeferredExporter` begin to send the items that it holds. Does not wait.

        `within_seconds` bounds the time to finish and close, from now on, if it is less than the
        time that the exporter was built with and the exporter is a `HurriedExporter`.
        """
        if self._deferred is None or self._closed:
            return
        if within_seconds < math.inf and isinstance(self._exporter, HurriedExporter):
            self._end(partial(self._exporter.close_within, within_seconds))
        self._end(self._deferred.finish)

    def close(self) -> None:
        """Close the exporter, once; a failure is recorded in the counts, which are then final.

        They are final as well if an interrupt ends the close early.
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
