"""The exit code of a run: from the moment that it is known no signal changes it any more.

What the run had to do is done by then. What is left is to let the interpreter end, and during that
a signal would do what it does to any process.
"""

from __future__ import annotations

import atexit
import os
import signal
from types import FrameType
from typing import Final

_HANDLED: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class LastCode:
    """The code that the process of the command exits with; None until it is known."""

    def __init__(self) -> None:
        self.code: int | None = None

    def hold(self) -> None:
        """Have signals, which nobody hears yet, leave with a code; before anything is imported."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            # The first process of a container would not hear them at all.
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._leave)
        atexit.register(self._last)  # so that it runs behind what others register

    def settle(self, code: int) -> None:
        """The code of the run, which is over, is known: a signal leaves with it."""
        self.code = code
        for number in _HANDLED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._leave)

    def _leave(self, number: int, _: FrameType | None) -> None:
        os._exit(128 + number if self.code is None else self.code)

    def _last(self) -> None:
        if self.code is not None:
            for number in _HANDLED:
                signal.signal(number, signal.SIG_IGN)  # it lasts, unlike a handler in Python
