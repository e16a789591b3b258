"""Alignment: a segment runs a batch when all parts of it have arrived. Pure.

Every worker sends each batch to every worker of every segment downstream, even if it is empty. So a
batch is whole when its last part has arrived from each upstream worker. Batches are run in the
order of their numbers, which keeps records in order even if some skip groups on their way.

A restarted worker sends again what its predecessor has not sent, or may not have sent. The first
whole version of a batch is taken; an incomplete version of a predecessor is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sk_supervisor._peer_errors import AlignmentError
from sk_supervisor._protocol.worker_ids import incarnation_of

P = TypeVar("P")

#: The origin of a part: a segment, and the index of the worker that runs it.
Upstream = tuple[int, int]


@dataclass(slots=True)
class _Waiting(Generic[P]):
    parts: list[tuple[Upstream, P]] = field(default_factory=list)
    whole: dict[Upstream, str] = field(default_factory=dict)
    """The upstreams whose last part has arrived, and the worker that sent it."""

    def forget(self, upstream: Upstream) -> None:
        """Drop the parts of an upstream unless its last part has arrived."""
        if upstream not in self.whole:
            self.parts = [part for part in self.parts if part[0] != upstream]


class Aligner(Generic[P]):
    """Collects the parts of batches for one segment, and returns whole batches in order.

    :param resumed: whether this worker replaces a failed one. Batches that upstream workers do not
        send any more have been acknowledged: its first batch is the first that all of them send.
        Later on, only a sender that is itself a replacement may leave batches out.
    """

    def __init__(self, upstream: Iterable[Upstream], *, resumed: bool = False) -> None:
        self._upstream = frozenset(upstream)
        self._resumed = resumed
        self._next = 1
        self._waiting: dict[int, _Waiting[P]] = {}
        self._senders: dict[Upstream, list[str]] = {segment: [] for segment in self._upstream}

    def add(self, epoch: int, upstream: Upstream, part: P, *, more: bool, sender: str = "") -> None:
        """Add one part of batch ``epoch``; ``more`` says that another part of it follows.

        ``sender`` is the id of the worker that sent it, empty for this worker. The parts of one
        sender arrive in order. A part is dropped if its batch has been run, or is whole from
        another ``sender``, as a restarted worker may send a batch again; and if it arrives after
        the first part of the sender's successor.

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
        """Yield the next whole batches with their numbers, each once."""
        while (first := self._waiting.get(self._next)) and len(first.whole) == len(self._upstream):
            epoch = self._next
            self._next += 1
            del self._waiting[epoch]
            yield epoch, [part for _, part in first.parts]

    @property
    def held(self) -> int:
        """The number of batches that wait for a part."""
        return len(self._waiting)

    def _is_current(self, upstream: Upstream, sender: str) -> bool:
        """Whether ``sender`` is the upstream's current worker; a new one succeeds the last one."""
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
        """Whether the batch before ``epoch`` has neither been run nor arrived whole from there."""
        before = epoch - 1
        if before < self._next:
            return False
        return before not in self._waiting or upstream not in self._waiting[before].whole

    def _go_on_with(self, epoch: int) -> None:
        self._next = epoch
        for late in [number for number in self._waiting if number < epoch]:
            del self._waiting[late]


def _took_a_place(sender: str) -> bool:
    """Whether the sender may itself have skipped batches: this worker, or a replacement."""
    return not sender or incarnation_of(sender) > 1
