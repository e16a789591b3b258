"""Timed waits of a stop: time in which the process was suspended does not count."""

from __future__ import annotations

from collections.abc import Callable

from sk_supervisor._lives.clock import LoopClock, wait_until


def passes(seconds: float, ended: Callable[[float], bool], clock: LoopClock) -> bool:
    """Wait for so many seconds of the clock; return False if the wait was ended before.

    :param ended: waits for at most so many seconds; True if it was woken.
    :param clock: used by this thread only.
    """
    last = clock.now() + seconds
    while (now := clock.now()) < last:
        until = wait_until(now, [last])
        if ended(last - now if until is None else until - now):
            return False
        clock.waited(now, until)
    return True
