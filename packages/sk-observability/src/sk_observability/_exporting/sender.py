"""What a `QueuedExporter` is made of: who sends, and the limits of the queue before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec

T_contra = TypeVar("T_contra", contravariant=True)


class Sender(Protocol[T_contra]):
    """Sends batches, in the thread of a `QueuedExporter`; may take its time."""

    def send(self, items: Sequence[T_contra]) -> None:
        """Send the items, and wait until the receiver has them.

        :raises ExportFailedError: with how many it has, and why it has not the others.
        """

    def finish(self) -> None:
        """The end is near: what fails from now on has failed, without pauses to try again.

        Any thread; returns at once.
        """

    def abort(self) -> None:
        """Have a `send` that is under way end soon, if that can be done. Any thread."""

    def close(self) -> None:
        """Let go of connections, after the last `send`."""


class QueueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a queue holds, how much is sent at once, and how long anything waits.

    A batch is sent when it is full, or `delay_seconds` after its first item came. `close_seconds`
    is all the time that sending the rest may take at the end. What finds no room is lost; where
    `newest_wins`, it takes the room of the oldest that wait, and those are lost.
    """

    max_queue_size: int = 32_768
    max_batch_size: int = 1024
    delay_seconds: float = 1.0
    close_seconds: float = 5.0
    newest_wins: bool = False
