"""The only writer of the windows."""

from __future__ import annotations

from msgspec import Struct
from sk_kernel import node

from sk_fundload.domain import CustomerWindow, DayWindow
from sk_fundload.messages import Decision, Judged
from sk_fundload.nodes._states import CustomerWindows, PrimeDays


class WindowSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether accepted prime ids are counted: yes where ``evaluate_policies`` has a prime gate."""

    prime_gate: bool = False


@node(name="update_windows", stage="policy")
class UpdateWindows:
    """Count a canonical attempt, and add an accepted one to the sums."""

    def __init__(
        self, settings: WindowSettings, windows: CustomerWindows, primes: PrimeDays | None
    ) -> None:
        self._windows = windows.by_customer
        self._primes = primes.by_day if settings.prime_gate and primes else None

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
            window = self._windows.get(customer)
            if window is None:
                window = self._windows[customer] = CustomerWindow()
            today = window.days.get(day)
            if today is None:
                today = window.days[day] = DayWindow()
            today.attempts += 1
            if accepted:
                effective, week = judged.effective, judged.week
                today.accepted += effective
                window.weeks[week] = window.weeks.get(week, 0) + effective
                if judged.is_prime and self._primes is not None:
                    self._primes[day] = self._primes.get(day, 0) + 1
        return Decision(judged.id, customer, accepted, reason)
