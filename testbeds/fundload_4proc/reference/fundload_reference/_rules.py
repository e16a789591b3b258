"""The rules: one attempt after the other, in input order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fundload_reference._attempt import Attempt
from fundload_reference._prime import is_prime_id
from fundload_reference._reasons import Reason
from fundload_reference._time import day_of, is_monday, week_of


@dataclass(frozen=True)
class RuleSet:
    """The numbers of a rule set; amounts in cents."""

    monday_multiplier: int
    prime_rule: bool
    prime_cap: int = 9_999_00
    primes_per_day: int = 1
    attempts_per_day: int = 3
    daily_amount: int = 5_000_00
    weekly_amount: int = 20_000_00


RULE_SETS = {
    "baseline": RuleSet(monday_multiplier=1, prime_rule=False),
    "exp_mp": RuleSet(monday_multiplier=2, prime_rule=True),
}


class Decider:
    """Decides attempts in the order given, and remembers what the rules need of them."""

    def __init__(self, rules: RuleSet) -> None:
        """Begin with nothing known."""
        self._rules = rules
        self._first_of_id: dict[str, Attempt] = {}
        self._attempts: Counter[tuple[str, int]] = Counter()  # by customer and day
        self._daily_sum: Counter[tuple[str, int]] = Counter()  # by customer and day
        self._weekly_sum: Counter[tuple[str, int]] = Counter()  # by customer and week
        self._primes_accepted: Counter[int] = Counter()  # by day, over all customers

    def decide(self, attempt: Attempt) -> Reason | None:
        """Give the reason to decline the next attempt, or None when it is accepted."""
        first = self._first_of_id.get(attempt.id)
        if first is not None:
            # One id on both sides, so all fields equal is: customer, amount and instant equal.
            same = attempt == first
            return Reason.ID_DUPLICATE_REPLAY if same else Reason.ID_DUPLICATE_CONFLICT
        self._first_of_id[attempt.id] = attempt

        customer_day = (attempt.customer_id, day_of(attempt.instant))
        self._attempts[customer_day] += 1
        reason = self._reason(attempt)
        if reason is None:
            self._add(attempt)
        return reason

    def _reason(self, attempt: Attempt) -> Reason | None:
        rules = self._rules
        day, week = day_of(attempt.instant), week_of(attempt.instant)
        customer = attempt.customer_id
        effective = self._effective(attempt)
        if self._attempts[customer, day] > rules.attempts_per_day:
            return Reason.DAILY_ATTEMPT_LIMIT
        if rules.prime_rule and is_prime_id(attempt.id):
            if effective > rules.prime_cap:
                return Reason.PRIME_AMOUNT_CAP
            if self._primes_accepted[day] >= rules.primes_per_day:
                return Reason.PRIME_DAILY_GLOBAL_LIMIT
        if self._daily_sum[customer, day] + effective > rules.daily_amount:
            return Reason.DAILY_AMOUNT_LIMIT
        if self._weekly_sum[customer, week] + effective > rules.weekly_amount:
            return Reason.WEEKLY_AMOUNT_LIMIT
        return None

    def _add(self, attempt: Attempt) -> None:
        day, week = day_of(attempt.instant), week_of(attempt.instant)
        effective = self._effective(attempt)
        self._daily_sum[attempt.customer_id, day] += effective
        self._weekly_sum[attempt.customer_id, week] += effective
        if is_prime_id(attempt.id):
            self._primes_accepted[day] += 1

    def _effective(self, attempt: Attempt) -> int:
        factor = self._rules.monday_multiplier if is_monday(attempt.instant) else 1
        return attempt.cents * factor
