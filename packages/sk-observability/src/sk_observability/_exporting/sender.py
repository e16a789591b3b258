"""The parts of a `QueuedExporter`: the sender, and the limits of the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec

T_contra = TypeVar("T_contra", contravariant=True)


class Sender(Protocol[T_contra]):
    """Sends batches, in the thread of a `QueuedExporter`; may block."""

    def send(self, items: Sequence[T_contra]) -> None:
        """Send the items, and wait until the receiver has accepted them.

        :raises ExportFailedError: with the number of accepted items, and the reason why the others
            were not accepted.
        """

    def finish(self) -> None:
        """Stop pausing between retries: the exporter is about to close.

        Any thread; returns at once.
        """

    def abort(self) -> None:
        """Cut a `send` in progress short, if possible. Any thread."""

    def close(self) -> None:
        """Close the connections, after the last `send`."""


class QueueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a queue and of its batches, and its delays.

    A batch is sent when it is full, or `delay_seconds` after its first item came. `close_seconds`
    bounds the time to send the remaining items at the end. An item for which the queue has no room
    is lost; with `newest_wins`, the oldest queued items are lost instead.
    """

    max_queue_size: int = 32_768
    max_batch_size: int = 1024
    delay_seconds: float = 1.0
    close_seconds: float = 5.0
    newest_wins: bool = False
