"""The verdict on an attempt: the first policy that it violates declines it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from sk_kernel import node

from sk_fundload.domain import (
    DAILY_AMOUNT_LIMIT,
    DAILY_ATTEMPT_LIMIT,
    DAY_SUMS,
    MAX_CENTS,
    NO_WEEK,
    NONE,
    PRIME_AMOUNT_CAP,
    PRIME_DAILY_GLOBAL_LIMIT,
    WEEK_SUM,
    WEEKLY_AMOUNT_LIMIT,
)
from sk_fundload.messages import Featured, Judged
from sk_fundload.nodes._states import CustomerWindows, PrimeDays

Cents = Annotated[int, Meta(ge=0, le=MAX_CENTS)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class PrimeGate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits for attempts with a prime id: the amount, and the number per day in total."""

    cap_cents: Cents = 9_999_00
    per_day: Count = 1


class PolicySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits, each inclusive. Without ``prime_gate`` there is no rule for prime ids."""

    daily_attempts: Count = 3
    daily_cents: Cents = 5_000_00
    weekly_cents: Cents = 20_000_00
    prime_gate: PrimeGate | None = None


@node(name="evaluate_policies", stage="policy")
class EvaluatePolicies:
    """Decide by the limits and the windows. Reads the windows, but does not change them."""

    def __init__(
        self, settings: PolicySettings, windows: CustomerWindows, primes: PrimeDays | None
    ) -> None:
        self._weeks = windows.weeks
        self._daily_attempts = settings.daily_attempts
        self._daily = settings.daily_cents
        self._weekly = settings.weekly_cents
        gate = settings.prime_gate or PrimeGate()
        self._prime_cap, self._primes_per_day = gate.cap_cents, gate.per_day
        self._primes = primes.by_day if settings.prime_gate and primes else None

    @classmethod
    def states(cls, settings: PolicySettings) -> tuple[type, ...]:
        """Return the states; without the prime gate all are partitioned by customer."""
        return (CustomerWindows, PrimeDays) if settings.prime_gate else (CustomerWindows,)

    def __call__(self, featured: Featured) -> Judged:
        """Judge one attempt."""
        customer, day, week = featured.customer_id, featured.day, featured.week
        effective, is_prime = featured.effective, featured.is_prime
        reason = featured.duplicate
        canonical = not reason
        if canonical:
            try:
                window = self._weeks[week].get(customer, NO_WEEK)
            except KeyError:
                window = NO_WEEK
            at = day - week
            if window[at] >= self._daily_attempts:
                reason = DAILY_ATTEMPT_LIMIT
            elif is_prime and (prime := self._judge_prime(effective, day)):
                reason = prime
            elif window[at + DAY_SUMS] + effective > self._daily:
                reason = DAILY_AMOUNT_LIMIT
            elif window[WEEK_SUM] + effective > self._weekly:
                reason = WEEKLY_AMOUNT_LIMIT
        return Judged(
            featured.id,
            customer,
            effective,
            day,
            week,
            is_prime,
            canonical,
            reason,
        )

    def _judge_prime(self, effective: int, day: int) -> str:
        if self._primes is None:
            return NONE
        if effective > self._prime_cap:
            return PRIME_AMOUNT_CAP
        if self._primes.get(day, 0) >= self._primes_per_day:
            return PRIME_DAILY_GLOBAL_LIMIT
        return NONE
