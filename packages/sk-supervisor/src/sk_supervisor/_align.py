"""Putting the parts of a batch together again before a segment runs it. Pure.

Every segment sends each batch to every segment downstream of it, empty or not, so a batch is whole
when each upstream segment's last part of it is there; and batches are run in their number's order.
That is what keeps order where a record skips groups on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

P = TypeVar("P")


class AlignmentError(Exception):
    """A part came from a segment that is not upstream, or after the last one of its batch."""

    def __init__(self, epoch: int, upstream: int, problem: str) -> None:
        self.epoch, self.upstream, self.problem = epoch, upstream, problem
        super().__init__(f"batch {epoch} from segment {upstream}: {problem}")


@dataclass(slots=True)
class _Waiting(Generic[P]):
    parts: list[P] = field(default_factory=list)
    whole: set[int] = field(default_factory=set)


class Aligner(Generic[P]):
    """Collects the parts of batches for one segment and gives whole batches back, in order."""

    def __init__(self, upstream: Iterable[int]) -> None:
        self._upstream = frozenset(upstream)
        self._next = 1
        self._waiting: dict[int, _Waiting[P]] = {}

    def add(self, epoch: int, upstream: int, part: P, *, more: bool) -> None:
        """Take one part of batch ``epoch``; ``more`` says that another of that segment follows.

        A batch that was run already is dropped: a sender that starts again sends what it may have
        sent before.

        :raises AlignmentError: when the part cannot belong here.
        """
        if upstream not in self._upstream:
            raise AlignmentError(epoch, upstream, "is not upstream of this segment")
        if epoch < self._next:
            return
        waiting = self._waiting.setdefault(epoch, _Waiting())
        if upstream in waiting.whole:
            raise AlignmentError(epoch, upstream, "a part came after the last one")
        waiting.parts.append(part)
        if not more:
            waiting.whole.add(upstream)

    def ready(self) -> Iterator[tuple[int, list[P]]]:
        """The whole batches that are next, each once."""
        while self._next in self._waiting and self._waiting[self._next].whole == self._upstream:
            epoch = self._next
            self._next += 1
            yield epoch, self._waiting.pop(epoch).parts

    @property
    def held(self) -> int:
        """How many batches wait for a part."""
        return len(self._waiting)
