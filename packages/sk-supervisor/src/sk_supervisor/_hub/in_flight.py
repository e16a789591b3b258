"""How far each worker has come with the batches in flight, from the headers of frames. No I/O.

Batches pass through every worker in the order of their numbers, whole or in parts. A batch that was
sent to a worker and has not come out of it is in the worker, or on its way there.
"""

from __future__ import annotations

from collections import Counter, deque

from sk_kernel.runtime import SOURCE, ExecutionPlan

from sk_supervisor._protocol.frames import BatchHeader
from sk_supervisor._protocol.worker_ids import places_of
from sk_supervisor.errors import AtHand


class InFlight:
    """The progress of each place, and the batches that are not acknowledged. O(1) per frame.

    Nothing is known of a worker that reads the source, or that a batch passes through more than
    once, as it has batches that the hub does not see.
    """

    def __init__(self, plan: ExecutionPlan) -> None:
        places = places_of(plan)
        passes = Counter(place for several in places.values() for place in several)
        source = places[plan.segment_of(SOURCE).index]
        self._tracked = {place for place, times in passes.items() if times == 1} - set(source)
        self._batches: deque[tuple[int, int, int]] = deque()
        """The number, first record and last record of each; not of the end of input."""
        self.newest = 0
        """The number of the newest batch of which any part was sent."""
        self._last_sent_to: dict[str, int] = {}
        """The last batch of which any part was sent to the worker in a place."""
        self._last_received_from: dict[str, int] = {}
        """The last batch of which any part has come from there, so that its nodes have run it."""

    def sent(self, sender: str, receiver: str, header: BatchHeader) -> None:
        """Note that a part of a batch goes from one place to another."""
        epoch = header.epoch
        if epoch > self.newest:
            self.newest = epoch
            if header.first <= header.last:
                self._batches.append((epoch, header.first, header.last))
        if epoch > self._last_sent_to.get(receiver, 0):
            self._last_sent_to[receiver] = epoch
        if epoch > self._last_received_from.get(sender, 0):
            self._last_received_from[sender] = epoch

    def acknowledged(self, place: str, epoch: int) -> None:
        """Note that the last place, that of the sink, has finished every batch up to this one."""
        self._last_received_from[place] = max(self._last_received_from.get(place, 0), epoch)
        while self._batches and self._batches[0][0] <= epoch:
            self._batches.popleft()

    def handed_over(self, place: str) -> None:
        """Note that another worker is in the place, to which nothing was sent yet."""
        self._last_sent_to.pop(place, None)
        self._last_received_from.pop(place, None)

    def at_hand(self, place: str) -> AtHand | None:
        """The batches in the worker of a place; None if there are none, or they are not known."""
        if place not in self._tracked:
            return None
        left, came = self._last_received_from.get(place, 0), self._last_sent_to.get(place, 0)
        here = [(first, last) for epoch, first, last in self._batches if left < epoch <= came]
        if not here:
            return None
        (first, oldest_last), (_, last) = here[0], here[-1]
        return AtHand(first, oldest_last, last, len(here))
