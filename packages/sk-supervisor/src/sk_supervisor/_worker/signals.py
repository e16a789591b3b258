"""What signals do to a worker, whose supervisor leads the end, and what losing that does."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable

from sk_control import LossReason

from sk_supervisor._system.forked import keep_from_children
from sk_supervisor._system.signals import HANDLED, ignored_from_above


def hear_signals(on_terminate: Callable[..., None]) -> None:
    """Hear them from now on, in the main thread; SIGTERM is handed on.

    Handlers, not SIG_IGN: what a node starts must not inherit deaf ears. Nor does what it forks.
    """
    for handler in (_not_ours, on_terminate):
        keep_from_children(handler)
    signal.signal(signal.SIGINT, _not_ours)
    if not ignored_from_above(signal.SIGHUP):
        signal.signal(signal.SIGHUP, _not_ours)
    signal.signal(signal.SIGTERM, on_terminate)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)


def leave_at_once(reason: LossReason) -> None:
    """The supervisor is gone: leave, and take along whatever this worker has started."""
    try:
        # Its end of the pipe may be gone too, or the pipe be full: a last word is worth no wait.
        with contextlib.suppress(OSError):
            if select.select([], [2], [], 0)[1]:
                os.write(2, f"control session lost ({reason}): leaving\n".encode())
    finally:
        os.killpg(0, signal.SIGKILL)


def _not_ours(*_: object) -> None:
    """SIGINT, SIGHUP: the supervisor has it too, and leads the end."""
