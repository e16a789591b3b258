"""The exit code of a run: after it is known, no signal changes it any more.

By then the run has finished its work. Only the interpreter's shutdown remains, during which a
signal would otherwise have its default effect.
"""

from __future__ import annotations

import atexit
import os
import signal
from types import FrameType
from typing import Final

_HANDLED: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class LastCode:
    """The exit code of the command's process; None until it is known."""

    def __init__(self) -> None:
        self.code: int | None = None

    def hold(self) -> None:
        """Let signals without a handler end the process with their code; called before imports."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            # In the first process of a container, the default would ignore these signals.
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._leave)
        atexit.register(self._last)  # registered first, so that it runs last

    def settle(self, code: int) -> None:
        """Set the code of the finished run: a signal now ends the process with this code."""
        self.code = code
        for number in _HANDLED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._leave)

    def _leave(self, number: int, _: FrameType | None) -> None:
        os._exit(128 + number if self.code is None else self.code)

    def _last(self) -> None:
        if self.code is not None:
            for number in _HANDLED:
                signal.signal(number, signal.SIG_IGN)  # stays in effect, unlike a Python handler
