"""What a process that the program forks inherits of ours: no handlers, and no pipes half made."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

#: The handlers of a run and of a worker, as far as they are installed.
_OURS: Final[set[Any]] = set()
#: Held while this process forks, and by whoever cannot have that happen meanwhile.
_FORKING: Final = threading.RLock()


def keep_from_children(handler: Callable[..., object]) -> None:
    """Have children that are forked while this handles a signal begin with what is usual for it."""
    _OURS.add(handler)


def no_more_ours(handler: Callable[..., object]) -> None:
    """It is installed no more."""
    _OURS.discard(handler)


@contextmanager
def without_forks() -> Iterator[None]:
    """Let other threads fork before or behind the block: never inside it.

    ``subprocess`` learns that a program was started by the end of a pipe: a fork in between would
    hold that open, and the caller up, for as long as its child lives.
    """
    with _FORKING:
        yield


def _begin_as_usual() -> None:
    """In the child, right behind the fork."""
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
