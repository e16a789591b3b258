"""What a process that a node forks hears: signals do to it what they do to any process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, Final

#: The handlers of a run and of a worker, as far as they are installed.
_OURS: Final[set[Any]] = set()


def keep_from_children(handler: Callable[..., object]) -> None:
    """Have children that are forked while this handles a signal begin with what is usual for it."""
    _OURS.add(handler)


def no_more_ours(handler: Callable[..., object]) -> None:
    """It is installed no more."""
    _OURS.discard(handler)


def _begin_as_usual() -> None:
    """In the child, right behind the fork."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) in _OURS:
            usual = signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)
            signal.set_wakeup_fd(-1)  # it would wake the parent
    _OURS.clear()


os.register_at_fork(after_in_child=_begin_as_usual)
