"""The retention: a bound in UTC days on the stored state; unbounded unless it is configured.

With a retention of N days:

- An attempt is *too late* if its day is more than N days before the newest day read so far (its
  own included). It is declined and changes no state.
- A later occurrence of an id counts as a first one if its day is more than N days after the day of
  the first attempt.

So no attempt in time needs a day that is more than N days before the newest day, or an id whose
first attempt is more than 2 N days before it; these are deleted. The time of the deletion does not
affect the output: it is the same for any number of workers, each of which sees some of the days.
"""

from __future__ import annotations

from typing import Annotated, Protocol, TypeVar

from msgspec import Meta

from sk_fundload.domain._time import DAY

RetentionDays = Annotated[int, Meta(ge=1, le=36_500)]
"""The number of days kept in addition to the newest day."""


def day_of(instant: int) -> int:
    """Return the ordinal of an instant's UTC day."""
    return instant // DAY + 1


class _Attempt(Protocol):
    @property
    def instant(self) -> int: ...


A = TypeVar("A", bound=_Attempt)


class RecentIds(dict[str, A]):
    """First attempts by id; deletes those that no attempt in time can refer to any more."""

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
                first = self.get(identifier)  # may have been replaced by a later attempt
                if first is not None and day_of(first.instant) == day:
                    del self[identifier]
