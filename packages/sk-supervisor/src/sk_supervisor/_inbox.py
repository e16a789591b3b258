"""What the main thread of a worker waits for: one queue, so that nothing is polled."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sk_control import PeerReplaced
from sk_kernel import Batch

from sk_supervisor._frames import BatchHeader


class Arrived(Struct, frozen=True):
    """A verified BATCH or END frame."""

    header: BatchHeader
    payload: memoryview | bytes
    final: bool


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


Item = Arrived | SourceRead | GateOpened | StopAsked | PeerReplaced | Broke


class Credit:
    """How many batches the source may be ahead of the slowest sink. Thread-safe."""

    def __init__(self, in_flight: int) -> None:
        self._in_flight = in_flight
        self._acknowledged = 0
        self._ended = False
        self._changed = threading.Condition()

    @property
    def acknowledged(self) -> int:
        """Every batch up to this one is done with."""
        return self._acknowledged

    def acknowledge(self, epoch: int) -> None:
        """Every batch up to ``epoch`` is done with."""
        with self._changed:
            self._acknowledged = max(self._acknowledged, epoch)
            self._changed.notify()

    def end(self) -> None:
        """Wait no longer: the input ends here."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def wait_for(self, epoch: int) -> None:
        """Return when batch ``epoch`` may be read, or the input is to end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or epoch - self._acknowledged <= self._in_flight
            )
