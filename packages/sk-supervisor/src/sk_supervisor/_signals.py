"""SIGINT and SIGTERM while a run is under way: handlers only pass the word on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

HANDLED = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def without_signals() -> Iterator[None]:
    """Keep the handled signals from whatever thread or process is started inside the block.

    A thread of ours that took one would not wake the main thread, which alone runs handlers and
    may be deep in a system call. A worker unblocks them behind its own handlers: a service manager
    signals every process of a service, and one in its first moments would just die of it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ForcedStop(BaseException):
    """A second signal came while this process itself does the work: end now."""


@contextmanager
def signals_to(
    request_stop: Callable[[str], None], *, force: bool
) -> Iterator[list[signal.Signals]]:
    """Hand each signal's name to ``request_stop`` inside the block; gives the signals that came.

    With ``force`` the second signal raises :class:`ForcedStop` in the main thread. Outside the main
    thread, where Python allows no handlers, nothing is handled.
    """
    came: list[signal.Signals] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def handle(number: int, _: FrameType | None) -> None:
        came.append(signal.Signals(number))
        request_stop(came[-1].name)
        # Never a third time, in the midst of cleaning up behind the second.
        if force and len(came) == 2:
            raise ForcedStop

    before = {number: signal.signal(number, handle) for number in HANDLED}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
