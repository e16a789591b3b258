"""What the main thread of a worker waits for: one queue, so that nothing is polled."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol, TypeAlias

from msgspec import Struct, field
from sk_control import PeerReplaced
from sk_kernel.runtime import Batch, Meter

from sk_supervisor._protocol.frames import BatchHeader, RequestHeader


class BatchArrived(Struct, frozen=True):
    """A verified BATCH or END frame."""

    header: BatchHeader
    payload: memoryview | bytes
    final: bool


class RequestArrived(Struct, frozen=True):
    """A verified REQUEST frame; ``came`` is when, by ``time.monotonic``."""

    header: RequestHeader
    payload: memoryview | bytes
    came: float = field(default_factory=time.monotonic)


class SourceRead(Struct, frozen=True):
    """The source's thread has read a batch."""

    batch: Batch
    payloads: Sequence[Any]


class GateOpened(Struct, frozen=True):
    """The supervisor says start_work."""


class StopAsked(Struct, frozen=True):
    """The supervisor says stop."""

    drain: bool


class Broke(Struct, frozen=True):
    """Another thread of this worker cannot go on."""

    error: BaseException


Item: TypeAlias = (
    BatchArrived | RequestArrived | SourceRead | GateOpened | StopAsked | PeerReplaced | Broke
)

#: Where nothing comes for so long, spans that were held to go out together go out.
_QUIET_SECONDS: Final = 0.1


class Inbox:
    """What is to be done, in the order in which it was put there; by any thread."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.get, self.empty, self.size = self._queue.get, self._queue.empty, self._queue.qsize
        self._wake: Callable[[], object] | None = None

    def put(self, item: Item) -> None:
        """Never waits."""
        self._queue.put(item)
        wake = self._wake
        if wake is not None:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Have ``wake`` called, in whatever thread, when something is put here meanwhile."""
        self._wake = wake
        try:
            yield
        finally:
            self._wake = None


class HoldsSpans(Protocol):
    """Who has spans to export: the assembly of a worker."""

    @property
    def holds_spans(self) -> bool:
        """Whether there are any."""

    def export(self) -> None:
        """Hand them to the exporters."""


def next_item(get: Callable[..., Item], holder: HoldsSpans) -> Item:
    """Wait for something to do; where nothing comes for a while, export the spans that are held.

    :param get: the inbox's.
    """
    if holder.holds_spans:
        try:
            return get(timeout=_QUIET_SECONDS)
        except queue.Empty:
            holder.export()
    return get()


class Credit:
    """How many batches the source may be ahead of the sink. Thread-safe.

    :param meter: hears how long the source is held, and of each batch that is done with.
    """

    def __init__(self, in_flight: int, meter: Meter | None = None) -> None:
        self._in_flight = in_flight
        self._meter = meter or Meter()
        self._acknowledged = self._granted = 0
        self._ended = False
        self._changed = threading.Condition()

    @property
    def acknowledged(self) -> int:
        """Every batch up to this one is done with."""
        return self._acknowledged

    @property
    def left(self) -> int:
        """How many batches may be read before one is done with."""
        with self._changed:
            return max(0, self._in_flight - (self._granted - self._acknowledged))

    def acknowledge(self, epoch: int) -> None:
        """Every batch up to ``epoch`` is done with."""
        self._meter.was_done(epoch)
        with self._changed:
            self._acknowledged = max(self._acknowledged, epoch)
            self._changed.notify_all()

    def settle(self, timeout: float) -> None:
        """Return when all that was read here is done with, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._granted <= self._acknowledged, timeout)

    def end(self) -> None:
        """Wait no longer: the input ends here."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def look_again(self) -> None:
        """Have whoever waits look whether the input ends."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, epoch: int, ends: Callable[[], bool] = bool) -> None:
        """Return when batch ``epoch`` may be read, or none has to be, since the input ``ends``."""

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
