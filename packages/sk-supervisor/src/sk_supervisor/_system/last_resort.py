"""What ends a process whose main thread heeds no forced stop: a node that swallows it, or in C."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from math import inf
from typing import Final

from sk_supervisor._system.threads import begin, begun

#: What is behind a forced stop, in the sink and the exporters, has so long.
GRACE_SECONDS: Final = 5.0
#: Who asks again sooner than this behind it has not seen yet what it does.
AGAIN_SECONDS: Final = 1.0


class LastResort:
    """Calls ``leave`` where a forced stop has not helped, in a thread of its own.

    That is some seconds behind the force, or at once when somebody asks again behind it. Without
    ``leave``, which is where the process is somebody else's, nothing comes of either.

    :param leave: ends the process.
    :param clock: seconds.
    """

    def __init__(
        self,
        leave: Callable[[], object] | None = None,
        *,
        grace_seconds: float = GRACE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leave, self._grace, self._clock = leave, grace_seconds, clock
        self._forced_at: float | None = None
        #: How long from now on, or None: no more. Not an event: a signal's handler may put it.
        self._words: queue.SimpleQueue[float | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._watch, name="last resort", daemon=True)

    @property
    def leaves(self) -> bool:
        """Whether it ends the process, which is not somebody else's."""
        return self._leave is not None

    def watch(self) -> None:
        """From now on it may be needed."""
        if self._leave is not None:
            with contextlib.suppress(OSError):  # the system has none to give: asking again helps
                begin(self._thread)

    def forced(self) -> None:
        """A forced stop has begun. Safe in any thread and in a signal handler, as :meth:`again`."""
        if self._forced_at is None:
            self._forced_at = self._clock()
            self._words.put(self._grace)

    def again(self) -> bool:
        """Somebody asks again; whether that is behind a force that has had its time."""
        at = self._forced_at
        if at is None or self._clock() - at < AGAIN_SECONDS:
            return False
        self._words.put(0.0)
        if not begun(self._thread):
            self._end()
        return True

    def over(self) -> None:
        """It is not needed any more: the work is out of the main thread's hands."""
        self._forced_at, self._leave = inf, None
        self._words.put(None)

    def _watch(self) -> None:
        left: float | None = None
        with contextlib.suppress(queue.Empty):
            while True:
                left = self._words.get(timeout=left)
                if left is None:
                    return
        self._end()

    def _end(self) -> None:
        leave = self._leave  # once: another thread may say meanwhile that all is over
        if leave is not None:
            leave()
