"""The replay guard, against a plain model that never forgets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_transport import (
    ExpiredFrameError,
    InvalidSettingError,
    ReplayedNonceError,
    ReplayGuard,
    ReplayGuardFullError,
    TransportError,
)

TTL = 10  # seconds; the steps below are whole seconds, with the edges in them
SECOND = 1_000_000_000
EPOCH = 1_000 * SECOND

nonces = st.integers(0, 5).map(lambda number: number.to_bytes(16, "big"))
# (nonce, seconds that the clock moves, negative too, the frame's time relative to the clock)
steps = st.lists(st.tuples(nonces, st.integers(-25, 25), st.integers(-12, 12)), max_size=60)


def admitted(guard: ReplayGuard, nonce: bytes, time_ns: int, now_ns: int) -> str:
    """The category of the refusal, or "" when admitted."""
    try:
        guard.admit(nonce, time_ns, now_ns)
    except TransportError as error:
        return error.category
    return ""


@pytest.mark.contract("SEC-IPC-04")
@given(steps, st.integers(1, 4))
def test_a_frame_is_never_admitted_twice_whatever_the_clock_and_the_load(
    steps: list[tuple[bytes, int, int]], capacity: int
) -> None:
    guard, now_ns = ReplayGuard(ttl_seconds=TTL, capacity=capacity), EPOCH
    seen: set[tuple[bytes, int]] = set()
    for nonce, moved, offset in steps:
        now_ns += moved * SECOND
        time_ns = now_ns + offset * SECOND
        if not admitted(guard, nonce, time_ns, now_ns):
            assert (nonce, time_ns) not in seen
            seen.add((nonce, time_ns))


@pytest.mark.contract("SEC-IPC-04")
@given(steps, st.integers(1, 4))
def test_a_nonce_is_refused_until_its_ttl_is_over_for_every_interleaving(
    steps: list[tuple[bytes, int, int]], capacity: int
) -> None:
    """The guard decides as a model does that keeps everything and looks through all of it."""
    guard, now_ns, latest_ns = ReplayGuard(ttl_seconds=TTL, capacity=capacity), EPOCH, 0
    expiry: dict[bytes, int] = {}
    for nonce, moved, offset in steps:
        now_ns += moved * SECOND
        time_ns = now_ns + offset * SECOND
        latest_ns = max(latest_ns, now_ns)
        live = [known for known, end in expiry.items() if end >= latest_ns]
        if abs(latest_ns - time_ns) > TTL * SECOND:
            expected = "expired"
        elif nonce in live:
            expected = "replay"
        elif len(live) >= capacity:
            expected = "replay_guard_full"
        else:
            expected = ""
            expiry[nonce] = latest_ns + TTL * SECOND * (1 if time_ns <= latest_ns else 2)
        assert admitted(guard, nonce, time_ns, now_ns) == expected


@pytest.mark.contract("SEC-IPC-04")
def test_a_full_guard_refuses_everything_and_forgets_nothing() -> None:
    guard = ReplayGuard(ttl_seconds=TTL, capacity=3)
    first = [number.to_bytes(16, "big") for number in range(3)]
    for nonce in first:
        guard.admit(nonce, EPOCH, EPOCH)
    for number in range(3, 1_000):
        with pytest.raises(ReplayGuardFullError) as caught:
            guard.admit(number.to_bytes(16, "big"), EPOCH, EPOCH + TTL * SECOND)
        assert (caught.value.capacity, caught.value.category) == (3, "replay_guard_full")
    for nonce in first:
        with pytest.raises(ReplayedNonceError):
            guard.admit(nonce, EPOCH, EPOCH + TTL * SECOND)


@pytest.mark.contract("SEC-IPC-04")
def test_a_full_guard_opens_again_when_a_nonce_expires() -> None:
    guard = ReplayGuard(ttl_seconds=TTL, capacity=1)
    guard.admit(b"a" * 16, EPOCH, EPOCH)
    later = EPOCH + TTL * SECOND + 1
    guard.admit(b"b" * 16, later, later)
    assert len(guard) == 1


@pytest.mark.contract("SEC-IPC-04")
def test_a_sender_whose_memory_is_full_locks_out_no_other() -> None:
    guard = ReplayGuard(ttl_seconds=TTL, capacity=1)
    guard.admit(b"a" * 16, EPOCH, EPOCH, "w-1")
    with pytest.raises(ReplayGuardFullError):
        guard.admit(b"b" * 16, EPOCH, EPOCH, "w-1")
    guard.admit(b"a" * 16, EPOCH, EPOCH, "w-2")
    with pytest.raises(ReplayedNonceError):
        guard.admit(b"a" * 16, EPOCH, EPOCH, "w-2")


def test_a_sender_is_forgotten_with_its_last_nonce() -> None:
    """However many workers come and go, the guard holds those of one TTL."""
    guard = ReplayGuard(ttl_seconds=TTL, capacity=1)
    for number in range(100):
        now_ns = EPOCH + number * SECOND
        guard.admit(b"a" * 16, now_ns, now_ns, f"w-{number}")
    assert len(guard) == len(guard._seen) == TTL + 1


def test_a_frame_from_the_future_is_remembered_until_it_could_pass_no_more() -> None:
    guard, nonce, ahead = ReplayGuard(ttl_seconds=TTL, capacity=9), b"n" * 16, EPOCH + 9 * SECOND
    guard.admit(nonce, ahead, EPOCH)
    with pytest.raises(ReplayedNonceError):
        guard.admit(nonce, ahead, EPOCH + 19 * SECOND)
    with pytest.raises(ExpiredFrameError):
        guard.admit(nonce, ahead, EPOCH + 19 * SECOND + 1)


def test_the_guard_holds_no_more_than_one_ttl_of_frames() -> None:
    guard = ReplayGuard(ttl_seconds=TTL, capacity=10**6)
    for number in range(5_000):
        now_ns = EPOCH + number * SECOND // 10
        guard.admit(number.to_bytes(16, "big"), now_ns, now_ns)
    assert len(guard) == TTL * 10 + 1


@pytest.mark.parametrize("capacity", [0, -1, True, 1.5])
def test_an_impossible_capacity_is_refused(capacity: int) -> None:
    with pytest.raises(InvalidSettingError):
        ReplayGuard(ttl_seconds=TTL, capacity=capacity)
