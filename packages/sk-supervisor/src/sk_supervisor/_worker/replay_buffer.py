"""What a worker has sent and may have to send again, to the successor of a worker that failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sk_supervisor._protocol.frames import BatchHeader
from sk_supervisor._protocol.peers import place_of


class Kept(NamedTuple):
    """A part of a batch as it was sent. The payload is not copied."""

    header: BatchHeader
    payload: bytes
    final: bool


class ReplayBuffer:
    """Keeps what goes to some places until the whole run is done with it.

    Bounded as all is that is in flight: nothing is read that is further than ``in_flight`` batches
    ahead of what is acknowledged.

    :param places: those whose worker may be replaced.
    :param acknowledged: every batch up to this one is done with, by the sink too.
    """

    def __init__(self, places: Iterable[str], acknowledged: Callable[[], int]) -> None:
        self._kept: dict[str, deque[Kept]] = {place: deque() for place in places}
        self._acknowledged = acknowledged

    def keep(self, header: BatchHeader, payload: bytes, *, final: bool) -> None:
        """Keep a part, where it may be needed again; and let go of what cannot be any more."""
        kept = self._kept.get(place_of(header.receiver))
        if kept is not None:
            self._trim(kept)
            kept.append(Kept(header, payload, final))

    def again(self, place: str) -> Iterator[Kept]:
        """All that is kept for a place, in the order in which it was sent."""
        kept = self._kept.get(place, deque())
        self._trim(kept)
        yield from tuple(kept)

    def _trim(self, kept: deque[Kept]) -> None:
        acknowledged = self._acknowledged()
        while kept and kept[0].header.epoch <= acknowledged:
            kept.popleft()
