"""Ending a process whose main thread ignores a forced stop, in a node that catches it or in C."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from math import inf
from typing import Final

from sk_supervisor._system.threads import begin, begun

#: The time that the sink and the exporters have after a forced stop.
GRACE_SECONDS: Final = 5.0
#: A request that follows the forced stop sooner than this was made before its effect could be seen.
AGAIN_SECONDS: Final = 1.0


class LastResort:
    """Calls ``leave``, in a thread of its own, if a forced stop does not end the process.

    It does so some seconds after the forced stop, or at once when another stop is requested after
    it. Without ``leave``, in a process that is not the command's, neither has an effect.

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
        #: The time to wait from now on; None to end. A queue, since a signal handler may put an
        #: item.
        self._words: queue.SimpleQueue[float | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._watch, name="last resort", daemon=True)

    @property
    def leaves(self) -> bool:
        """Whether it may end the process."""
        return self._leave is not None

    def watch(self) -> None:
        """Start the thread, since it may be needed from now on."""
        if self._leave is not None:
            with contextlib.suppress(OSError):  # no thread left: another request still works
                begin(self._thread)

    def forced(self) -> None:
        """Note that a forced stop has begun.

        Safe in any thread and in a signal handler, like :meth:`again`.
        """
        if self._forced_at is None:
            self._forced_at = self._clock()
            self._words.put(self._grace)

    def again(self) -> bool:
        """Note another request; return whether it came long enough after a forced stop."""
        at = self._forced_at
        if at is None or self._clock() - at < AGAIN_SECONDS:
            return False
        self._words.put(0.0)
        if not begun(self._thread):
            self._end()
        return True

    def disarm(self) -> None:
        """Disable it: the main thread has finished the work."""
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
        leave = self._leave  # read once: another thread may call :meth:`disarm`
        if leave is not None:
            leave()
