"""How long a stop may take in the memory profile, whose work is in the main thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final

from sk_supervisor._system.signals import BreakIn
from sk_supervisor._system.threads import begin

#: A read that goes on for this long behind the interrupt is broken off.
_BLOCKED_SECONDS: Final = 1.0


class StopTimes:
    """Breaks into work that does not end in time. Safe in any thread.

    ``over`` says whether the budget, of so many ``seconds``, has ended it. Without a ``break_in``,
    which is where nobody runs the work in the main thread, it may take as long as it likes.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.break_in = seconds, BreakIn()
        self.over = False
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """The budget begins."""
        self._after(self.seconds, self._end)

    def leave_soon(self, leave: Callable[[], None]) -> None:
        """The source is about to be interrupted: in a second have ``leave`` called in its read."""
        self._after(_BLOCKED_SECONDS, lambda: self.break_in(leave))

    def end(self) -> None:
        """The work has ended: nothing is broken into any more."""
        self._ended.set()
        while self._threads:
            self._threads.pop().join()

    def _end(self) -> None:
        self.over = True
        self.break_in()

    def _after(self, seconds: float, do: Callable[[], None]) -> None:
        def wait() -> None:
            if not self._ended.wait(seconds):
                do()

        thread = threading.Thread(target=wait, name="stop time", daemon=True)
        with contextlib.suppress(OSError):  # the system has none to give: a signal still helps
            begin(thread)
            self._threads.append(thread)
