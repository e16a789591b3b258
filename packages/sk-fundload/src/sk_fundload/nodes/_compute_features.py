"""The features for the policies: the effective amount, and whether the id is a prime number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct
from sk_kernel import node

from sk_fundload.domain import PrimeIds
from sk_fundload.messages import Featured, Gated


class FeatureSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Monday multiplier (1 is off), and whether ids are tested for primality at all.

    The bound of the multiplier keeps the largest amount within 63 bits, as the wire format needs.
    """

    monday_multiplier: Annotated[int, Meta(ge=1, le=50)] = 1
    prime_gate: bool = False


@node(name="compute_features", stage="features")
class ComputeFeatures:
    """Multiply Monday's amounts and test ids for primality, as far as the settings require it."""

    def __init__(self, settings: FeatureSettings) -> None:
        self._multiplier = settings.monday_multiplier
        self._is_prime = PrimeIds().contains if settings.prime_gate else None

    def __call__(self, gated: Gated) -> Featured:
        """Add both features."""
        return self.process_batch((gated,))[0]

    def process_batch(self, several: Sequence[Gated]) -> list[Featured]:
        """Add both features to each."""
        multiplier, is_prime = self._multiplier, self._is_prime
        featured: list[Featured] = []
        add = featured.append
        for gated in several:
            timed = gated.timed
            attempt, id_, day = timed.attempt, timed.id, timed.day
            effective = attempt.cents
            if day % 7 == 1:  # a UTC Monday
                effective *= multiplier
            add(
                Featured(
                    id_,
                    attempt.customer_id,
                    effective,
                    day,
                    timed.week,
                    is_prime is not None and is_prime(id_),
                    gated.duplicate,
                )
            )
        return featured
