"""A source and a sink that hold what they give and get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal


class ListSource:
    """A :class:`sk_kernel.Source` that gives ``payloads``, as many at a time as it is asked for."""

    def __init__(self, payloads: Iterable[Any]) -> None:
        self._payloads = list(payloads)
        self._position = 0
        self._interrupted = False

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """The next ``max_records`` payloads; none when they are over, or after an interrupt."""
        if self._interrupted:
            return ()
        first, self._position = self._position, self._position + max_records
        return self._payloads[first : self._position]

    def interrupt(self) -> None:
        """Give nothing any more."""
        self._interrupted = True


class CollectSink:
    """A :class:`sk_kernel.Sink` that keeps what it gets in ``received``, in order.

    ``outcome`` says how the run ended for it.
    """

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.outcome: Literal["open", "committed", "aborted"] = "open"

    def write(self, chunk: Sequence[Any]) -> None:
        """Keep a batch."""
        self.received += chunk

    def commit(self) -> None:
        """Note it."""
        self.outcome = "committed"

    def abort(self) -> None:
        """Note it."""
        self.outcome = "aborted"

    def summary(self) -> dict[str, int]:
        """How many payloads were received."""
        return {"received": len(self.received)}
