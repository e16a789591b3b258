"""A batch divided at its sampled rows, so that the clock is read before and after each of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from operator import length_hint
from typing import Any


class Stretches:
    """The items of a batch, in order, for a loop over stretches with a loop over each one's items.

    For records that are not sampled, the only cost is a copy into a stretch: they pass the same
    loop as without sampling, over a list's own iterator.

    :param traced: the sampled rows, each of which is a stretch of its own.
    """

    def __init__(self, items: Sequence[Any], traced: Sequence[int]) -> None:
        self._items, self._traced = items, traced
        self._rest: Iterator[Any] = iter(())
        #: The begin and end of each sampled row, in turn, in nanoseconds since the epoch.
        self.stamps: list[int] = []

    def __iter__(self) -> Iterator[Iterable[Any]]:
        """Yield the stretches."""
        items, note, clock, done = self._items, self.stamps.append, time.time_ns, 0
        for row in self._traced:
            self._rest = rest = iter(items[done:row])
            yield rest
            done = row + 1
            one = items[row:done]
            note(clock())
            yield one
            note(clock())
        self._rest = rest = iter(items[done:])
        yield rest

    @property
    def row(self) -> int:
        """The row that was yielded last."""
        passed, within = divmod(len(self.stamps), 2)
        if within:
            return self._traced[passed]
        end = self._traced[passed] if passed < len(self._traced) else len(self._items)
        return max(end - length_hint(self._rest) - 1, 0)
