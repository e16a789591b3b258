"""The thread that takes a snapshot of a run at each interval and passes it to the exporters."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

from sk_observability._exporting.outlet import ExporterCounts, Outlet
from sk_observability._exporting.reasons import reason_of
from sk_observability._metrics.metric import MetricsSnapshot


class MetricPump:
    """Passes a snapshot to every exporter each interval, in a thread, from `start` until `close`.

    `take` takes the snapshot, in that thread; the last one after `finish` or `close` is called. If
    it raises, every exporter counts one snapshot as dropped, with the exception's type as reason.
    """

    def __init__(
        self,
        exporters: Sequence[Outlet[MetricsSnapshot]],
        take: Callable[[], MetricsSnapshot],
        interval_seconds: float,
    ) -> None:
        self._outlets, self._take, self._interval = tuple(exporters), take, interval_seconds
        self._ending, self._end_by = threading.Event(), math.inf
        # A daemon: an exporter that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Start the thread; the first snapshot is taken after one interval.

        If no thread can be started there are no metrics: every exporter counts one snapshot as
        dropped, and the run goes on.
        """
        try:
            self._thread.start()
        except RuntimeError as error:
            self._missed(error)

    def finish(self, within_seconds: float = math.inf) -> None:
        """Begin to export a last snapshot and close the exporters, all within this time."""
        self._end_by = min(self._end_by, time.monotonic() + within_seconds)
        self._ending.set()

    def close(self, patience_seconds: float) -> None:
        """Finish, and wait at most this long; a thread still running then ends with the process."""
        self.finish(patience_seconds)
        if self._thread.ident is None:  # never started: nothing was handed over
            self._close_exporters()
        else:
            self._thread.join(patience_seconds)

    def counts(self) -> tuple[ExporterCounts, ...]:
        """Return the outcomes of the snapshots for each exporter, in the order given."""
        return tuple(outlet.counts for outlet in self._outlets)

    def _run(self) -> None:
        try:
            while not self._ending.wait(self._interval):
                self._hand_over()
            self._hand_over()
        finally:
            self._close_exporters()

    def _close_exporters(self) -> None:
        for outlet in self._outlets:
            outlet.finish(max(0.0, self._end_by - time.monotonic()))
        for outlet in self._outlets:
            outlet.close()

    def _hand_over(self) -> None:
        try:
            snapshot = self._take()
        except Exception as error:  # noqa: BLE001 - the next snapshot may succeed
            self._missed(error)
            return
        for outlet in self._outlets:
            outlet.export((snapshot,))

    def _missed(self, error: Exception) -> None:
        for outlet in self._outlets:
            outlet.missed(1, reason_of(error))
