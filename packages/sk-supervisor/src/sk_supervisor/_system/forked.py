"""Fork hooks: reset our signal handlers in forked children; prevent forks during a spawn."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

#: The handlers of a run and of a worker that are installed now.
_OURS: Final[set[Any]] = set()
#: Held while this process forks, and by :func:`without_forks`.
_FORKING: Final = threading.RLock()


def keep_from_children(handler: Callable[..., object]) -> None:
    """Reset signals with this handler to their default in children that are forked meanwhile."""
    _OURS.add(handler)


def allow_in_children(handler: Callable[..., object]) -> None:
    """Undo :func:`keep_from_children`: the handler is no longer installed."""
    _OURS.discard(handler)


@contextmanager
def without_forks() -> Iterator[None]:
    """Prevent other threads from forking inside the block.

    ``subprocess`` waits for the end of a pipe to learn that a program was started. A child forked
    meanwhile would hold that pipe open, and block the caller, for as long as it lives.
    """
    with _FORKING:
        yield


def _begin_as_usual() -> None:
    """Reset the handlers. Called in the child, right after the fork."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) in _OURS:
            usual = signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)
            signal.set_wakeup_fd(-1)  # it would wake the parent
    _OURS.clear()


os.register_at_fork(
    before=_FORKING.acquire,
    after_in_parent=_FORKING.release,
    after_in_child=_FORKING.release,
)
os.register_at_fork(after_in_child=_begin_as_usual)
