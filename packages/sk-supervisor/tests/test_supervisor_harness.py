"""What the tests of this package are run with fails where it must, and within the time."""

from __future__ import annotations

import queue
import signal
import threading

import pytest
from supervisor_harness import PATIENCE, in_time, meanwhile


def test_a_helper_that_fails_ends_the_block_that_waits_for_it() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    never: queue.SimpleQueue[None] = queue.SimpleQueue()

    def fail() -> None:
        raise ValueError("the helper")

    with pytest.raises(ValueError, match="the helper"), meanwhile(fail):
        never.get(timeout=PATIENCE)
    assert signal.getsignal(signal.SIGUSR1) is before


def test_a_helper_that_does_not_end_is_waited_for_no_longer_than_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("supervisor_harness.PATIENCE", 0.01)
    gate = threading.Event()
    with pytest.raises(AssertionError, match="has not ended"), meanwhile(gate.wait):
        pass
    gate.set()


def test_a_block_that_waits_too_long_is_ended() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(AssertionError, match="not over within"), in_time(0.01):
        threading.Event().wait()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
