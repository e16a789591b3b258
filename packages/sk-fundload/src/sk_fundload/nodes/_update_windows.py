"""The update of the windows; no other node writes to them."""

from __future__ import annotations

from msgspec import Struct
from sk_kernel import node

from sk_fundload.domain import DAY_SUMS, WEEK_SUM, RetentionDays, WeekWindow
from sk_fundload.messages import Decision, Judged
from sk_fundload.nodes._states import CustomerWindows, PrimeDays


class WindowSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether accepted prime ids are counted: required if ``evaluate_policies`` has a prime gate.

    With ``retention_days``, the first counted attempt of a newer week drops the weeks that end more
    than this number of days before its day, and the prime days before then. Nothing is dropped in
    between: up to six more days are kept, and whole weeks. None keeps everything.
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
        """Return the states; without the prime gate all are partitioned by customer."""
        return (CustomerWindows, PrimeDays) if settings.prime_gate else (CustomerWindows,)

    def __call__(self, judged: Judged) -> Decision:
        """Count the attempt in the windows and return the decision."""
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
        """Begin a customer's window in a week; if the week is the newest so far, drop old weeks."""
        retention = self._retention
        if retention is not None and week > self._newest:
            self._newest = week
            self._windows.forget_before(day - retention)
            if self._primes_of is not None:
                self._primes_of.forget_before(day - retention)
        return self._windows.begin(week, customer)
