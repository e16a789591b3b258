"""The exit code of ``sk run``: once it is known, no signal changes it any more.

The run has done its work by then. Only the interpreter has to end, and meanwhile a signal would
have its default effect.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess


class LastCode:
    """The exit code of this process; ``code`` is None until it is known.

    ``at_once`` is true if the process is to exit as soon as all messages are written: either the
    interpreter has nothing to clean up, or it would wait for something. ``held`` is true if the
    process is the command's own, which may be exited.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        self.at_once = self.held = False

    def hold(self) -> None:
        """Handle signals by exiting with a code, before anything is imported.

        If the parent process has blocked them, which a child inherits, they are unblocked.
        """
        self.held = True
        for number in (signal.SIGTERM, signal.SIGHUP):
            # The first process of a container would not receive them without a handler.
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._leave)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _handled())
        atexit.register(self._last)  # so that it runs after what others register

    def settle(self, code: int) -> int:
        """Set the exit code, which is known now, and return it."""
        self.code = code
        return code

    def keep(self) -> None:
        """Let Ctrl-C, too, exit with the code if it is known. Called at the command's end."""
        if self.code is not None and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._leave)

    def leave(self, code: int) -> NoReturn:
        """Exit at once, whatever the threads are doing, with ``code`` unless the code is known."""
        _kill_children()
        os._exit(code if self.code is None else self.code)

    def _leave(self, number: int, _: FrameType | None) -> None:
        if self.code is None:
            os._exit(128 + number)
        _kill_children()
        os._exit(self.code if _flushed() else self.code or 128 + number)

    def _last(self) -> None:
        if self.code is None:
            return
        for number in _handled():
            signal.signal(number, signal.SIG_IGN)  # still works when handlers in Python do not
        if self.at_once and _flushed():
            os._exit(self.code)


def _handled() -> tuple[signal.Signals, ...]:
    # No constant: on Windows, where this module is imported to refuse, there is no SIGHUP.
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def left_children() -> list[BaseProcess]:
    """Return the live processes that nodes have started in this process by ``multiprocessing``."""
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing.active_children() if multiprocessing else []


def _kill_children() -> None:
    for child in left_children():
        child.kill()  # as with those of a worker: no one else would


def _flushed() -> bool:
    """Whether standard output could be flushed; if not, the interpreter reports the problem."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a flush is under way, and hangs
        return False
    return True
