"""Putting the parts of a batch together again before a segment runs it. Pure.

Every worker sends each batch to every worker of every segment downstream, empty or not, so a batch
is whole when the last part of it is there from each upstream; and batches are run in their number's
order.
That is what keeps order where a record skips groups on its way.

A worker that was restarted sends again what its predecessor had not sent, or not for certain. Of a
batch the first whole version is taken, and half a one of a predecessor is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sk_supervisor._peer_errors import AlignmentError
from sk_supervisor._protocol.peers import incarnation_of

P = TypeVar("P")

#: Where parts come from: a segment, and the index of the worker that runs it.
Upstream = tuple[int, int]


@dataclass(slots=True)
class _Waiting(Generic[P]):
    parts: list[tuple[Upstream, P]] = field(default_factory=list)
    whole: dict[Upstream, str] = field(default_factory=dict)
    """The upstream segments whose last part is here, and the worker that sent it."""

    def forget(self, upstream: Upstream) -> None:
        """Half a batch of a worker that will not send the rest."""
        if upstream not in self.whole:
            self.parts = [part for part in self.parts if part[0] != upstream]


class Aligner(Generic[P]):
    """Collects the parts of batches for one segment and gives whole batches back, in order.

    :param resumed: this worker takes the place of one that has failed. What upstream does not send
        any more was done with everywhere before: the first batch is the first that all send. Later
        on, only a sender that took a place itself may leave batches out.
    """

    def __init__(self, upstream: Iterable[Upstream], *, resumed: bool = False) -> None:
        self._upstream = frozenset(upstream)
        self._resumed = resumed
        self._next = 1
        self._waiting: dict[int, _Waiting[P]] = {}
        self._senders: dict[Upstream, list[str]] = {segment: [] for segment in self._upstream}

    def add(self, epoch: int, upstream: Upstream, part: P, *, more: bool, sender: str = "") -> None:
        """Take one part of batch ``epoch``; ``more`` says that another of that segment follows.

        ``sender`` is the worker that sent it, empty for this one itself. The parts of one sender
        come in order. A batch that was run already, or is here whole from another ``sender``, is
        dropped: a worker that starts again sends what may have been sent before. So is what comes
        of a sender after its successor's first part.

        :raises AlignmentError: when the part cannot belong here.
        """
        if upstream not in self._upstream:
            raise AlignmentError(epoch, upstream, "is not upstream of this segment")
        is_new = sender not in self._senders[upstream]
        if not self._is_current(upstream, sender) or epoch < self._next:
            return
        if self._is_behind_a_gap(epoch, upstream):
            if not (self._resumed and (is_new or _took_a_place(sender))):
                raise AlignmentError(epoch, upstream, "batches before it are missing")
            self._go_on_with(epoch)
        waiting = self._waiting.setdefault(epoch, _Waiting())
        if upstream in waiting.whole:
            if waiting.whole[upstream] == sender:
                raise AlignmentError(epoch, upstream, "a part came after the last one")
            return
        waiting.parts.append((upstream, part))
        if not more:
            waiting.whole[upstream] = sender

    def ready(self) -> Iterator[tuple[int, list[P]]]:
        """The whole batches that are next, each once."""
        while (first := self._waiting.get(self._next)) and len(first.whole) == len(self._upstream):
            epoch = self._next
            self._next += 1
            del self._waiting[epoch]
            yield epoch, [part for _, part in first.parts]

    @property
    def held(self) -> int:
        """How many batches wait for a part."""
        return len(self._waiting)

    def _is_current(self, upstream: Upstream, sender: str) -> bool:
        """Whether a segment's parts come from this worker now; whoever is new succeeds the last."""
        senders = self._senders[upstream]
        if senders and senders[-1] == sender:
            return True
        if sender in senders:
            return False
        senders.append(sender)
        for waiting in self._waiting.values():
            waiting.forget(upstream)
        return True

    def _is_behind_a_gap(self, epoch: int, upstream: Upstream) -> bool:
        """Whether the batch before it is neither run nor here, whole, from that segment."""
        before = epoch - 1
        if before < self._next:
            return False
        return before not in self._waiting or upstream not in self._waiting[before].whole

    def _go_on_with(self, epoch: int) -> None:
        self._next = epoch
        for late in [number for number in self._waiting if number < epoch]:
            del self._waiting[late]


def _took_a_place(sender: str) -> bool:
    """Whether a worker, this one or another, may itself have gone on further on."""
    return not sender or incarnation_of(sender) > 1
