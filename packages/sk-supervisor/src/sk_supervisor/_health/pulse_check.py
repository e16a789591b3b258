"""The liveness check of the supervisor's loop: a ping through its queue, at most once a second.

The loop waits for events as long as there are none, so only an explicit ping shows whether it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from math import inf

#: The time within which the loop must answer, and for which an answer is valid.
ANSWER_SECONDS = 1.0


def is_fresh(answered_at: float, now: float) -> bool:
    """Whether an answer at ``answered_at`` is still valid at ``now``."""
    return now - answered_at < ANSWER_SECONDS


class PulseCheck:
    """Pings a loop in another thread. For one event loop; concurrent checks share one ping.

    So at most one ping is in the loop's queue: probes cannot flood it.

    :param ask: passes the loop a function to call at its next iteration; thread-safe.
    """

    def __init__(
        self,
        ask: Callable[[Callable[[], None]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._clock = ask, clock
        self._answered_at = -inf
        self._answer: asyncio.Future[None] | None = None

    async def beats(self) -> bool:
        """Return whether the loop has answered within the last second, or does within the next."""
        if is_fresh(self._answered_at, self._clock()):
            return True
        if self._answer is None:
            self._answer = self._question()
        answer = self._answer
        await asyncio.wait([answer], timeout=ANSWER_SECONDS)
        return answer.done()

    def _question(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()

        def answer() -> None:
            # Called in the supervisor's loop, maybe after this event loop has been closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._heard)

        self._ask(answer)
        return loop.create_future()

    def _heard(self) -> None:
        self._answered_at = self._clock()
        if self._answer is not None:
            self._answer.set_result(None)
            self._answer = None
