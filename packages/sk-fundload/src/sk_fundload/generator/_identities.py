"""Generation of unique ids, prime or not as needed, and of unique customers."""

from __future__ import annotations

import random
from typing import Final

from sk_fundload.domain import is_prime, is_prime_id

_LOWEST: Final = 10_000
# Primes: repeatedly adding any step modulo a prime visits every number below it once.
_SPANS: Final = (1_000_003, 10_000_019, 1_000_000_007, 1_000_000_000_039)


class Identities:
    """Generates ids and customer ids."""

    def __init__(self, rng: random.Random, records: int) -> None:
        self._span = next((s for s in _SPANS if s > 5 * records), _SPANS[-1])
        self._step = rng.randrange(1, self._span)
        self._at = rng.randrange(self._span)
        self._prime = 10**12 + 2 * rng.randrange(10**11)
        self._customer = 10**9 + rng.randrange(10**8)

    def new_id(self) -> str:
        """Return an id of 5 digits or more, prime as often as a random number."""
        self._at = (self._at + self._step) % self._span
        return str(_LOWEST + self._at)

    def composite_id(self) -> str:
        """Return an id that is not prime."""
        while is_prime_id(identifier := self.new_id()):
            pass
        return identifier

    def prime_id(self) -> str:
        """Return an id that is prime."""
        self._prime += 1
        while not is_prime(self._prime):
            self._prime += 1
        return str(self._prime)

    def new_customer(self) -> str:
        """Return a customer without a history."""
        self._customer += 1
        return str(self._customer)
