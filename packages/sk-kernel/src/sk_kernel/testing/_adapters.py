"""A source that reads from a list, and a sink that writes to one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal


class ListSource:
    """A :class:`sk_kernel.Source` that returns ``payloads``, as many at a time as requested."""

    def __init__(self, payloads: Iterable[Any]) -> None:
        self._payloads = list(payloads)
        self._position = 0
        self._interrupted = False

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """Return the next ``max_records`` payloads; none at the end or after an interrupt."""
        if self._interrupted:
            return ()
        first, self._position = self._position, self._position + max_records
        return self._payloads[first : self._position]

    def interrupt(self) -> None:
        """Make further reads return nothing."""
        self._interrupted = True


class CollectSink:
    """A :class:`sk_kernel.Sink` that keeps the payloads it receives in ``received``, in order.

    ``outcome`` says how the run ended: ``committed``, ``aborted``, or still ``open``.
    """

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.outcome: Literal["open", "committed", "aborted"] = "open"

    def write(self, chunk: Sequence[Any]) -> None:
        """Keep the payloads of a batch."""
        self.received += chunk

    def commit(self) -> None:
        """Set ``outcome``."""
        self.outcome = "committed"

    def abort(self) -> None:
        """Set ``outcome``."""
        self.outcome = "aborted"

    def summary(self) -> dict[str, int]:
        """Return how many payloads were received."""
        return {"received": len(self.received)}
