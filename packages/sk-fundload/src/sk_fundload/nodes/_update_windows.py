"""The only writer of the windows."""

from __future__ import annotations

from msgspec import Struct
from sk_kernel import node

from sk_fundload.domain import DayWindow, RetentionDays
from sk_fundload.messages import Decision, Judged
from sk_fundload.nodes._states import CustomerWindows, PrimeDays


class WindowSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether accepted prime ids are counted: yes where ``evaluate_policies`` has a prime gate.

    Windows are kept for ``retention_days`` before the newest day; None: for ever.
    """

    prime_gate: bool = False
    retention_days: RetentionDays | None = None


@node(name="update_windows", stage="policy")
class UpdateWindows:
    """Count a canonical attempt, and add an accepted one to the sums."""

    def __init__(
        self, settings: WindowSettings, windows: CustomerWindows, primes: PrimeDays | None
    ) -> None:
        self._windows = windows
        self._days, self._weeks = windows.days, windows.weeks
        self._name = windows.names.setdefault
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
            day = judged.day
            days = self._days.get(day)
            if days is None:
                days = self._begin(day)
            today = days.get(customer)
            if today is None:
                # Every record brings a text of its own: the windows share one for each customer.
                customer = self._name(customer, customer)
                today = days[customer] = DayWindow()
            today.attempts += 1
            if accepted:
                effective, week = judged.effective, judged.week
                today.accepted += effective
                weeks = self._weeks.get(week)
                if weeks is None:
                    weeks = self._weeks[week] = {}
                weeks[customer] = weeks.get(customer, 0) + effective
                if judged.is_prime and self._primes is not None:
                    self._primes[day] = self._primes.get(day, 0) + 1
        return Decision(judged.id, customer, accepted, reason)

    def _begin(self, day: int) -> dict[str, DayWindow]:
        """A day of which there is nothing yet: where it is the newest, old ones are forgotten."""
        retention = self._retention
        if retention is not None and day > self._newest:
            self._newest = day
            self._windows.forget_before(day - retention)
            if self._primes_of is not None:
                self._primes_of.forget_before(day - retention)
        days = self._days[day] = {}
        return days
