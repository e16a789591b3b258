"""The UTC day and the week of an attempt."""

from __future__ import annotations

from msgspec import Struct
from sk_kernel import node

from sk_fundload.domain import DAY, Weekday, week_start, weekday_index
from sk_fundload.messages import LoadAttempt, Timed


class TimeKeySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which day a week begins with."""

    week_start: Weekday = "monday"


@node(name="compute_time_keys", stage="features", tags=("time",))
class ComputeTimeKeys:
    """Add the day, and the first day of the week, of an attempt's instant."""

    def __init__(self, settings: TimeKeySettings) -> None:
        self._first_weekday = weekday_index(settings.week_start)
        # The keys of the day that was met last, from instant to instant: a stream stays on one for
        # a while, and to divide costs more than all else here.
        self._begin = self._end = self._day = self._week = 0

    def __call__(self, attempt: LoadAttempt) -> Timed:
        """Add both keys."""
        instant = attempt.instant
        if not self._begin <= instant < self._end:
            self._turn_to(instant // DAY)
        return Timed(attempt.id, attempt, self._day, self._week)

    def _turn_to(self, days: int) -> None:
        self._begin, self._end = days * DAY, (days + 1) * DAY
        self._day = days + 1
        self._week = week_start(self._day, self._first_weekday)
