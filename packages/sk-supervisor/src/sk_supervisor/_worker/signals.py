"""A worker's reaction to signals, and to the loss of its supervisor, which controls its end."""

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
    """Install the worker's signal handlers, in the main thread; SIGTERM calls ``on_terminate``.

    SIGINT and SIGHUP get handlers that do nothing, not SIG_IGN, which programs that a node starts
    would inherit. Forked children do not get these handlers.
    """
    for handler in (_not_ours, on_terminate):
        keep_from_children(handler)
    signal.signal(signal.SIGINT, _not_ours)
    if not ignored_from_above(signal.SIGHUP):
        signal.signal(signal.SIGHUP, _not_ours)
    signal.signal(signal.SIGTERM, on_terminate)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)


def leave_at_once(reason: LossReason) -> None:
    """Kill this worker's process group, with all that it has started: the supervisor is lost."""
    try:
        # The pipe may be closed or full: the message is not worth a wait.
        with contextlib.suppress(OSError):
            if select.select([], [2], [], 0)[1]:
                os.write(2, f"control session lost ({reason}): leaving\n".encode())
    finally:
        os.killpg(0, signal.SIGKILL)


def _not_ours(*_: object) -> None:
    """Ignore SIGINT or SIGHUP: the supervisor gets it too, and controls the end."""
