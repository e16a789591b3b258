"""The exit code of an ``sk run``: from the moment that it is known no signal changes it any more.

What the run had to do is done by then. What is left is to let the interpreter end, and during that
a signal would do what it does to any process.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class LastCode:
    """The code that this process exits with; ``code`` is None until it is known.

    ``at_once`` says that the process is left when all has been said: there is nothing in it that
    the interpreter would have to take down, or something that it would wait for. ``held`` says that
    the process is the command's, so that it may be left.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        self.at_once = self.held = False

    def hold(self) -> None:
        """Handle signals by leaving with a code, before anything is imported.

        If the parent process has blocked them, which a child inherits, they are unblocked.
        """
        self.held = True
        for number in (signal.SIGTERM, signal.SIGHUP):
            # The first process of a container would not hear them at all.
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._leave)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        atexit.register(self._last)  # so that it runs behind what others register

    def settle(self, code: int) -> int:
        """The code is known; gives it."""
        self.code = code
        return code

    def keep(self) -> None:
        """The command is through: a Ctrl-C leaves with the code, too, if there is one."""
        if self.code is not None and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._leave)

    def leave(self, code: int) -> NoReturn:
        """Leave the process as it is, whatever its threads do, with a code unless one is known."""
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
        for number in _HEARD:
            signal.signal(number, signal.SIG_IGN)  # it lasts, unlike a handler in Python
        if self.at_once and _flushed():
            os._exit(self.code)


def left_children() -> list[BaseProcess]:
    """The processes that nodes have started in this one by ``multiprocessing``, and that live."""
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing.active_children() if multiprocessing else []


def _kill_children() -> None:
    for child in left_children():
        child.kill()  # as what a worker leaves is killed: nobody else would


def _flushed() -> bool:
    """Whether all of standard output is out; the interpreter says what is wrong if it is not."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError, RuntimeError):  # the last: it is being flushed, and hangs there
        return False
    return True
