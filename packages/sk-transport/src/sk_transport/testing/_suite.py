"""Checking an implementation against the claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sk_transport.errors import TransportError
from sk_transport.testing._channel_claims import CHANNEL_CLAIMS
from sk_transport.testing._claim_limits import LIMITS
from sk_transport.testing._pair import ChannelPair, MakePair
from sk_transport.testing._wire_claims import WIRE_CLAIMS

Claim: TypeAlias = Callable[[ChannelPair], None]
"""Checks one promise, and raises `AssertionError` if a pair does not keep it.

Its name and its docstring state the promise.
"""


def check_claim(claim: Claim, make_pair: MakePair) -> None:
    """Check one claim on a new pair; raises `AssertionError`, with the claim's name in a note."""
    with make_pair(LIMITS) as pair:
        try:
            _call(claim, pair)
        except AssertionError as broken:
            broken.add_note(f"the claim: {claim.__name__}: {claim.__doc__}")
            raise


def check_channel(make_pair: MakePair) -> None:
    """Check an implementation against the contract of `SecureChannel`, all of `CHANNEL_CLAIMS`.

    `make_pair` is called once for each claim, with the limits that both ends must have. Raises
    `AssertionError` at the first claim that does not hold.
    """
    for claim in CHANNEL_CLAIMS:
        check_claim(claim, make_pair)


def check_wire(make_pair: MakePair) -> None:
    """Check that an implementation rejects bad bytes from its wire, by all of `WIRE_CLAIMS`.

    The pairs need an `inject`. Raises like `check_channel`.
    """
    for claim in WIRE_CLAIMS:
        check_claim(claim, make_pair)


def _call(claim: Claim, pair: ChannelPair) -> None:
    try:
        claim(pair)
    except TransportError as fault:
        raise AssertionError(f"the channel raised {type(fault).__name__}") from fault
