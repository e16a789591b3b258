"""A bound on what is remembered, in UTC days; off unless it is configured.

With a retention of N days:

- An attempt is *too late* when its day is more than N days before the newest day that was read so
  far, its own included. It is declined, and touches nothing.
- A later occurrence of an id counts as its first one again when its day is more than N days after
  that of the first attempt.

So no attempt in time asks for a day that is more than N days before the newest, or for an id whose
first attempt is more than 2 N days before it; those are forgotten. Whether they are yet, no output
shows: it is the same on any number of workers, each of which sees some of the days.
"""

from __future__ import annotations

from typing import Annotated, Protocol, TypeVar

from msgspec import Meta

from sk_fundload.domain._time import DAY

RetentionDays = Annotated[int, Meta(ge=1, le=36_500)]
"""So many days are remembered beside the newest."""


def day_of(instant: int) -> int:
    """Give the ordinal of an instant's UTC day."""
    return instant // DAY + 1


class _Attempt(Protocol):
    @property
    def instant(self) -> int: ...


A = TypeVar("A", bound=_Attempt)


class RecentIds(dict[str, A]):
    """First attempts by id, without those that no attempt in time can meet any more."""

    def __init__(self, retention_days: int) -> None:
        super().__init__()
        self._kept = 2 * retention_days
        self._newest = 0
        self._by_day: dict[int, list[str]] = {}

    def __setitem__(self, identifier: str, attempt: A) -> None:
        super().__setitem__(identifier, attempt)
        day = day_of(attempt.instant)
        ids = self._by_day.get(day)
        if ids is None:
            ids = self._by_day[day] = []
            if day > self._newest:
                self._newest = day
                self._forget_before(day - self._kept)
        ids.append(identifier)

    def _forget_before(self, oldest: int) -> None:
        for day in [day for day in self._by_day if day < oldest]:
            for identifier in self._by_day.pop(day):
                first = self.get(identifier)  # which may be a later one by now
                if first is not None and day_of(first.instant) == day:
                    del self[identifier]
