"""The time limits of a stop in the memory profile, whose work is done in the main thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final

from sk_supervisor._memory.life import WORKER
from sk_supervisor._system.signals import BreakIn
from sk_supervisor._system.threads import begin
from sk_supervisor.errors import StopTimeoutError

#: A read that goes on for this long after the interrupt is broken off.
_BLOCKED_SECONDS: Final = 1.0
#: How often a close is broken off after the budget, a second apart, before the run itself is.
_LEFT: Final = 5


class StopTimes:
    """Interrupt work that does not end in time. Thread-safe.

    ``over`` says whether the work was interrupted because the budget of ``seconds`` was over. The
    budget covers the closing after the work too, which gets the rest of it, or all of it if no
    stop was requested. A suspension of the process counts: a wait that ends late cannot be told
    from one during which a node held the interpreter, and the budget must end in any case. Nothing
    is interrupted unless ``break_in`` is set, which is the case when the work runs in the main
    thread.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.break_in = seconds, BreakIn()
        self.over = False
        self._leave_close: Callable[[], None] | None = None
        self._began = False
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Start the budget. Idempotent."""
        began, self._began = self._began, True
        if not began:
            self._after(self.seconds, self._end)

    def closing(self, leave: Callable[[], None]) -> None:
        """From now on interrupt only a blocked close; start the budget if it has not begun.

        :param leave: breaks off the close that the main thread is in; called in that thread.
        """
        self._leave_close = leave
        self.begin()

    def leave_soon(self, leave: Callable[[], None]) -> None:
        """Call ``leave`` in the main thread in a second, to break off the source's read."""
        self._after(_BLOCKED_SECONDS, lambda: self.break_in(leave))

    def raise_if_over(self) -> None:
        """Raise if the work was interrupted because the budget was over.

        :raises StopTimeoutError: if so.
        """
        if self.over:
            raise StopTimeoutError([WORKER], self.seconds)

    def end(self) -> None:
        """Interrupt nothing any more, as the work has ended; join the threads."""
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
        with contextlib.suppress(OSError):  # no thread to be had: a second signal still works
            begin(thread)
            self._threads.append(thread)
