"""Frames that a worker has sent, and may have to send again to the successor of a failed worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sk_supervisor._protocol.frames import BatchHeader
from sk_supervisor._protocol.worker_ids import place_of


class Kept(NamedTuple):
    """A part of a batch, as it was sent. The payload is not copied."""

    header: BatchHeader
    payload: bytes
    final: bool


class ReplayBuffer:
    """Keeps the parts sent to some places until the sink has acknowledged their batches.

    It is bounded, as the source is at most ``in_flight`` batches ahead of the last acknowledged
    one.

    :param places: the places whose worker may be replaced.
    :param acknowledged: returns the number of the last batch up to which all are acknowledged.
    """

    def __init__(self, places: Iterable[str], acknowledged: Callable[[], int]) -> None:
        self._kept: dict[str, deque[Kept]] = {place: deque() for place in places}
        self._acknowledged = acknowledged

    def keep(self, header: BatchHeader, payload: bytes, *, final: bool) -> None:
        """Keep a part if its place is one of these, and discard parts of acknowledged batches."""
        kept = self._kept.get(place_of(header.receiver))
        if kept is not None:
            self._trim(kept)
            kept.append(Kept(header, payload, final))

    def again(self, place: str) -> Iterator[Kept]:
        """Yield the parts that are kept for a place, in the order in which they were sent."""
        kept = self._kept.get(place, deque())
        self._trim(kept)
        yield from tuple(kept)

    def _trim(self, kept: deque[Kept]) -> None:
        acknowledged = self._acknowledged()
        while kept and kept[0].header.epoch <= acknowledged:
            kept.popleft()
