"""The only writer of the windows."""

from __future__ import annotations

from msgspec import Struct
from sk_kernel import node

from sk_fundload.domain import DAY_SUMS, WEEK_SUM, RetentionDays, WeekWindow
from sk_fundload.messages import Decision, Judged
from sk_fundload.nodes._states import CustomerWindows, PrimeDays


class WindowSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether accepted prime ids are counted: yes where ``evaluate_policies`` has a prime gate.

    With ``retention_days``, as the first attempt of a newer week is counted, the weeks are dropped
    that end more than so many days before its day, and with them the prime days before then. Until
    the next one nothing is: up to six days more are kept, and whole weeks. None: all are kept.
    """

    prime_gate: bool = False
    retention_days: RetentionDays | None = None


@node(name="update_windows", stage="policy")
class UpdateWindows:
    """Count a canonical attempt, and add an accepted one to the sums."""

    def __init__(
        self, settings: WindowSettings, windows: CustomerWindows, primes: PrimeDays | None
    ) -> None:
        self._windows, self._weeks = windows, windows.weeks
        self._retention = settings.retention_days
        self._newest = 0
        self._primes_of = primes if settings.prime_gate else None
        self._primes = self._primes_of.by_day if self._primes_of else None

    @classmethod
    def states(cls, settings: WindowSettings) -> tuple[type, ...]:
        """Without the prime gate no global state is needed, and customers can be spread."""
        return (CustomerWindows, PrimeDays) if settings.prime_gate else (CustomerWindows,)

    def __call__(self, judged: Judged) -> Decision:
        """Write the attempt into the windows and give the decision."""
        customer, reason = judged.customer_id, judged.reason
        accepted = not reason
        if judged.canonical:
            day, week = judged.day, judged.week
            try:
                window = self._weeks[week][customer]
            except KeyError:
                window = self._begin(day, week, customer)
            at = day - week
            window[at] += 1
            if accepted:
                effective = judged.effective
                window[at + DAY_SUMS] += effective
                window[WEEK_SUM] += effective
                if judged.is_prime and self._primes is not None:
                    self._primes[day] = self._primes.get(day, 0) + 1
        return Decision(judged.id, customer, accepted, reason)

    def _begin(self, day: int, week: int, customer: str) -> WeekWindow:
        """A customer's first attempt in a week: where that is the newest one, old ones go."""
        retention = self._retention
        if retention is not None and week > self._newest:
            self._newest = week
            self._windows.forget_before(day - retention)
            if self._primes_of is not None:
                self._primes_of.forget_before(day - retention)
        return self._windows.begin(week, customer)
