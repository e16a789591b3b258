"""How far each worker has come with the batches in flight, as their headers tell the hub. No I/O.

Batches go through every worker in the order of their numbers, whole or in parts: what was sent to a
worker and has not come out of it is with it, or on its way there.
"""

from __future__ import annotations

from collections import Counter, deque

from sk_kernel.runtime import SOURCE, ExecutionPlan

from sk_supervisor._protocol.frames import BatchHeader
from sk_supervisor._protocol.peers import places_of
from sk_supervisor.errors import AtHand


class InFlight:
    """A few numbers for each place, and those of each batch that is not done with. O(1) a frame.

    Of whoever reads the source, or is passed by a batch more than once, nothing can be said: it has
    what the hub does not see.
    """

    def __init__(self, plan: ExecutionPlan) -> None:
        places = places_of(plan)
        passes = Counter(place for several in places.values() for place in several)
        source = places[plan.segment_of(SOURCE).index]
        self._told = {place for place, times in passes.items() if times == 1} - set(source)
        self._batches: deque[tuple[int, int, int]] = deque()
        """The number of each, and its first and last record; the end of input is none."""
        self.newest = 0
        """The number of the newest batch of which anything was sent to anybody."""
        self._came: dict[str, int] = {}
        """The last batch of which anything was sent to whoever is in a place,"""
        self._left: dict[str, int] = {}
        """and the last of which anything has come from there, when its nodes were done with it."""

    def sent(self, sender: str, receiver: str, header: BatchHeader) -> None:
        """A part of a batch goes from one place to another."""
        epoch = header.epoch
        if epoch > self.newest:
            self.newest = epoch
            if header.first <= header.last:
                self._batches.append((epoch, header.first, header.last))
        if epoch > self._came.get(receiver, 0):
            self._came[receiver] = epoch
        if epoch > self._left.get(sender, 0):
            self._left[sender] = epoch

    def acknowledged(self, place: str, epoch: int) -> None:
        """The place behind all others is done with every batch up to this one."""
        self._left[place] = max(self._left.get(place, 0), epoch)
        while self._batches and self._batches[0][0] <= epoch:
            self._batches.popleft()

    def handed_over(self, place: str) -> None:
        """Somebody else is there, to whom nothing was sent yet."""
        self._came.pop(place, None)
        self._left.pop(place, None)

    def at_hand(self, place: str) -> AtHand | None:
        """What is with whoever is in a place; None where it is nothing, or not known."""
        if place not in self._told:
            return None
        left, came = self._left.get(place, 0), self._came.get(place, 0)
        here = [(first, last) for epoch, first, last in self._batches if left < epoch <= came]
        if not here:
            return None
        (first, oldest_last), (_, last) = here[0], here[-1]
        return AtHand(first, oldest_last, last, len(here))
