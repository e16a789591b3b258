"""The guard of a session: nothing comes twice, and what follows is never too late."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_control._freshness import SessionGuard
from sk_transport import FrameRefusedError

TTL = 10
SECOND = 10**9


def guard() -> SessionGuard:
    return SessionGuard(ttl_seconds=TTL, capacity=1_000)


def nonce(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.mark.contract("P5PRE-CTRL-03")
@given(
    deliveries=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2 * TTL)), max_size=60),
    apart=st.integers(1, TTL),
)
def test_no_message_is_accepted_twice_in_whatever_order_and_however_late(
    deliveries: list[tuple[int, int]], apart: int
) -> None:
    """Messages are signed `apart` seconds; each delivery is of one of them, some seconds later."""
    session, now, accepted = guard(), 12 * apart * SECOND, list[int]()
    for number, seconds in deliveries:
        now += seconds * SECOND
        try:
            session.admit(nonce(number), number * apart * SECOND, now)
        except FrameRefusedError:
            continue
        accepted.append(number)
    assert len(set(accepted)) == len(accepted)


@given(delays=st.lists(st.integers(0, 100 * TTL), max_size=20))
def test_behind_the_first_what_comes_in_order_is_never_too_late(delays: list[int]) -> None:
    session = guard()
    session.admit(nonce(0), 0, 0)
    arrived = 0
    for number, delay in enumerate(delays, 1):
        arrived = max(arrived, number + delay * SECOND)
        session.admit(nonce(number), number, arrived)


@pytest.mark.contract("P5PRE-CTRL-03")
@pytest.mark.parametrize("age", [TTL + 1, -TTL - 1])
def test_the_first_message_is_within_the_ttl_or_refused(age: int) -> None:
    with pytest.raises(FrameRefusedError):
        guard().admit(nonce(0), 100 * SECOND, (100 + age) * SECOND)
