"""A batch cut at its sampled rows, so that the clock is read before and behind each of those."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from operator import length_hint
from typing import Any


class Stretches:
    """The items of a batch, in order, for one loop over stretches and one over the items of each.

    That the others are in a stretch costs them nothing but to be copied into it: they pass the same
    loop as where nothing is sampled, and no iterator but a list's own.

    :param traced: the sampled rows, each of which is a stretch of its own.
    """

    def __init__(self, items: Sequence[Any], traced: Sequence[int]) -> None:
        self._items, self._traced = items, traced
        self._rest: Iterator[Any] = iter(())
        #: When each sampled row began and ended, one behind the other, since the epoch.
        self.stamps: list[int] = []

    def __iter__(self) -> Iterator[Iterable[Any]]:
        """The stretches."""
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
        """The row that was given last."""
        passed, within = divmod(len(self.stamps), 2)
        if within:
            return self._traced[passed]
        end = self._traced[passed] if passed < len(self._traced) else len(self._items)
        return max(end - length_hint(self._rest) - 1, 0)
