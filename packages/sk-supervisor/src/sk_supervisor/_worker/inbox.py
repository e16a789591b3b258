"""The inbox of a worker's main thread: a single queue, so that nothing is polled."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct, field
from sk_control import PeerReplaced
from sk_kernel.runtime import Batch, Meter

from sk_supervisor._protocol.frames import BatchHeader, RequestHeader

if TYPE_CHECKING:  # a worker that traces nothing starts without it
    from sk_supervisor._worker.spans import WorkerSpans


class BatchArrived(Struct, frozen=True):
    """A verified BATCH or END frame."""

    header: BatchHeader
    payload: memoryview | bytes
    final: bool


class RequestArrived(Struct, frozen=True):
    """A verified REQUEST frame; ``came`` is its arrival time, by ``time.monotonic``."""

    header: RequestHeader
    payload: memoryview | bytes
    came: float = field(default_factory=time.monotonic)


class SourceRead(Struct, frozen=True):
    """A batch that the source's thread has read."""

    batch: Batch
    payloads: Sequence[Any]


class GateOpened(Struct, frozen=True):
    """The supervisor has sent StartWork."""


class StopAsked(Struct, frozen=True):
    """The supervisor has sent Stop."""

    drain: bool


class Broke(Struct, frozen=True):
    """Another thread of this worker has failed."""

    error: BaseException


Item: TypeAlias = (
    BatchArrived | RequestArrived | SourceRead | GateOpened | StopAsked | PeerReplaced | Broke
)

#: Spans that are held to be exported together are exported when nothing arrives for this long.
_QUIET_SECONDS: Final = 0.1


class Inbox:
    """A queue of items for the main thread, in the order of :meth:`put`."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.get, self.empty, self.size = self._queue.get, self._queue.empty, self._queue.qsize
        self._wake: Callable[[], object] | None = None

    def put(self, item: Item) -> None:
        """Put an item into the queue. Any thread; never waits."""
        self._queue.put(item)
        wake = self._wake
        if wake is not None:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Within the block, call ``wake`` after each :meth:`put`, in the thread of that call."""
        self._wake = wake
        try:
            yield
        finally:
            self._wake = None


def next_item(get: Callable[..., Item], spans: WorkerSpans | None) -> Item:
    """Wait for an item; if none arrives for a while, export the spans that are held.

    :param get: the ``get`` of the inbox.
    :param spans: None if the run is not traced.
    """
    if spans is not None and spans.held:
        try:
            return get(timeout=_QUIET_SECONDS)
        except queue.Empty:
            spans.export()
    return get()


class Credit:
    """The number of batches that the source may be ahead of the sink. Thread-safe.

    :param meter: notes how long the source is held, and each batch that is acknowledged.
    """

    def __init__(self, in_flight: int, meter: Meter | None = None) -> None:
        self._in_flight = in_flight
        self._meter = meter or Meter()
        self._acknowledged = self._granted = 0
        self._ended = False
        self._changed = threading.Condition()

    @property
    def acknowledged(self) -> int:
        """The number of the last batch up to which all are acknowledged."""
        return self._acknowledged

    @property
    def left(self) -> int:
        """How many batches may be read before another one is acknowledged."""
        with self._changed:
            return max(0, self._in_flight - (self._granted - self._acknowledged))

    def acknowledge(self, epoch: int) -> None:
        """Note that every batch up to ``epoch`` is acknowledged."""
        self._meter.was_done(epoch)
        with self._changed:
            self._acknowledged = max(self._acknowledged, epoch)
            self._changed.notify_all()

    def settle(self, timeout: float) -> None:
        """Return when every batch read here is acknowledged, or after ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._granted <= self._acknowledged, timeout)

    def end(self) -> None:
        """End all waiting, as the input ends."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def look_again(self) -> None:
        """Have a waiting thread check again whether the input ends."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, epoch: int, ends: Callable[[], bool] = bool) -> None:
        """Return when batch ``epoch`` may be read, or when the input ``ends``."""

        def may_go_on() -> bool:
            return self._may_read(epoch) or ends()

        with self._changed:
            if not may_go_on():
                self._meter.hold()
                self._changed.wait_for(may_go_on)
                self._meter.go_on()
            self._granted = epoch

    def _may_read(self, epoch: int) -> bool:
        return self._ended or epoch - self._acknowledged <= self._in_flight
