"""The segments that one worker runs, and what they share: an event loop, and the sink."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack

from sk_kernel.runtime import Container, SegmentRunner, SinkDriver, close_loop


class Segments:
    """A worker's segments, opened, ended and closed together. The worker's main thread only.

    :param runners: the runner of each segment, by its index.
    :param sink: None if the sink is in another worker.
    :param loop: runs coroutine nodes; None if there are none.
    :param container: holds the services of the nodes and adapters in this worker.
    """

    def __init__(
        self,
        runners: Mapping[int, SegmentRunner],
        sink: SinkDriver | None,
        loop: asyncio.Runner | None,
        container: Container,
    ) -> None:
        self.runners, self.sink = runners, sink
        self.loop, self._container = loop, container
        self._sink_is_open = False

    def open(self) -> None:
        """Open the sink, if it is in this worker.

        :raises AdapterFailedError: when it cannot be opened.
        """
        if self.sink is not None:
            self.sink.open()
            self._sink_is_open = True

    def end_sink(self, *, complete: bool) -> None:
        """Commit the sink if ``complete``, else abort it, if it is in this worker.

        :raises AdapterFailedError: when that fails.
        """
        if self.sink is not None:
            # A failed commit is followed by an abort; a failed abort is not repeated.
            self._sink_is_open = complete
            self.sink.end(complete=complete)
            self._sink_is_open = False

    def end(self) -> None:
        """Abort the sink if it is still open.

        :raises AdapterFailedError: when it cannot be aborted.
        """
        if self._sink_is_open:
            self.end_sink(complete=False)

    def close(self) -> None:
        """Close the sink, the services and the event loop, when no node is called any more.

        A coroutine that still goes on is cancelled then, and abandoned a second later.
        """
        loop, self.loop = self.loop, None
        with ExitStack() as ends:  # the last one first; each runs even if another fails
            if loop is not None:
                ends.callback(close_loop, loop)
            ends.callback(self._container.close, loop)
            if self.sink is not None:
                self.sink.close()

    def dropped_counts(self) -> tuple[int, int]:
        """The number of records that were dead-lettered, and the number that were skipped."""
        lost = [runner.losses for runner in self.runners.values()]
        return sum(each.dead_lettered for each in lost), sum(each.skipped for each in lost)
