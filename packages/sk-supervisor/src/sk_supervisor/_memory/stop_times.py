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
#: What is closed when the budget is over is broken off, and whatever is then closed a second later.
_LEFT: Final = 5


class StopTimes:
    """Breaks into work that does not end in time. Safe in any thread.

    ``over`` says whether the budget, of so many ``seconds``, has ended it. It goes on behind the
    work: what is closed then has what is left of it, or all of it. Without a ``break_in``,
    which is where nobody runs the work in the main thread, it may take as long as it likes.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.break_in = seconds, BreakIn()
        self.over = False
        self._leave_close: Callable[[], None] | None = None
        self._began = False
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """The budget begins. More than once: nothing."""
        began, self._began = self._began, True
        if not began:
            self._after(self.seconds, self._end)

    def closing(self, leave: Callable[[], None]) -> None:
        """The run ends: the budget, which begins here if it has not, ends nothing but a close.

        :param leave: breaks one off, where it is called in the main thread.
        """
        self._leave_close = leave
        self.begin()

    def leave_soon(self, leave: Callable[[], None]) -> None:
        """The source is about to be interrupted: in a second have ``leave`` called in its read."""
        self._after(_BLOCKED_SECONDS, lambda: self.break_in(leave))

    def end(self) -> None:
        """The work has ended: nothing is broken into any more."""
        self._ended.set()
        while self._threads:
            self._threads.pop().join()

    def _end(self) -> None:
        leave = self._leave_close
        if leave is None:
            self.over = True
            self.break_in()
            return
        for _ in range(_LEFT):
            self.break_in(leave)
            if self._ended.wait(_BLOCKED_SECONDS):
                return
        self.break_in()

    def _after(self, seconds: float, do: Callable[[], None]) -> None:
        def wait() -> None:
            if not self._ended.wait(seconds):
                do()

        thread = threading.Thread(target=wait, name="stop time", daemon=True)
        with contextlib.suppress(OSError):  # the system has none to give: a signal still helps
            begin(thread)
            self._threads.append(thread)
