"""The guard of a link: what does not follow was seen before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_transport import ReplayedNonceError, SequenceGuard

SERIES = b"series-1"


def nonce(count: int, series: bytes = SERIES) -> bytes:
    return series + count.to_bytes(8, "big")


@pytest.mark.contract("SEC-IPC-04")
@given(counts=st.lists(st.integers(0, 50), max_size=60))
def test_a_nonce_is_admitted_once_and_only_in_rising_order(counts: list[int]) -> None:
    guard = SequenceGuard()
    highest = -1
    for count in counts:
        if count > highest:
            guard.admit(nonce(count), 0, 0)
            highest = count
        else:
            with pytest.raises(ReplayedNonceError):
                guard.admit(nonce(count), 0, 0)


def test_it_goes_on_after_a_nonce_that_was_admitted_elsewhere() -> None:
    guard = SequenceGuard(after=nonce(4))
    with pytest.raises(ReplayedNonceError):
        guard.admit(nonce(4), 0, 0)
    guard.admit(nonce(5), 0, 0)


def test_another_series_is_refused() -> None:
    guard = SequenceGuard()
    guard.admit(nonce(1), 0, 0)
    with pytest.raises(ReplayedNonceError):
        guard.admit(nonce(2, b"series-2"), 0, 0)


@pytest.mark.contract("SEC-IPC-04")
def test_no_rate_of_frames_fills_it() -> None:
    guard = SequenceGuard()
    for count in range(200_000):
        guard.admit(nonce(count), 0, 0)
    with pytest.raises(ReplayedNonceError):
        guard.admit(nonce(0), 0, 0)
