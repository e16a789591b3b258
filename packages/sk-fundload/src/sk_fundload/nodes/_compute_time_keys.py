"""The UTC day and the week of an attempt."""

from __future__ import annotations

from msgspec import Struct
from sk_kernel import node

from sk_fundload.domain import DAY, Weekday, weekday_index
from sk_fundload.messages import LoadAttempt, Timed


class TimeKeySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which day a week begins with."""

    week_start: Weekday = "monday"


@node(name="compute_time_keys", stage="features", tags=("time",))
class ComputeTimeKeys:
    """Add the day, and the first day of the week, of an attempt's instant."""

    def __init__(self, settings: TimeKeySettings) -> None:
        self._shift = weekday_index(settings.week_start) + 1

    def __call__(self, attempt: LoadAttempt) -> Timed:
        """Add both keys."""
        instant = attempt.instant
        day = instant // DAY + 1
        return Timed(
            attempt.id,
            attempt.customer_id,
            attempt.cents,
            instant,
            day,
            day - (day - self._shift) % 7,  # domain.week_start, written out: this is a hot path
        )
