"""Whether the supervisor's loop turns: it is asked through its own queue, at most once a second.

The loop waits for what happens, for as long as nothing does: that it is silent says nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from math import inf

#: The loop has this long to answer, and an answer is good for as long.
ANSWER_SECONDS = 1.0


def is_fresh(answered_at: float, now: float) -> bool:
    """Whether an answer at ``answered_at`` still says that the loop turns."""
    return now - answered_at < ANSWER_SECONDS


class PulseCheck:
    """Asks a loop in another thread. For one event loop; any number may ask at once.

    However many ask, one question waits in the loop's queue: probes cannot flood it.

    :param ask: hands the loop what it is to call at its next turn; safe in any thread.
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
        """Whether the loop has answered within the last second, or does within the next."""
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
            # In the supervisor's loop, which may come to it when nobody listens any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._heard)

        self._ask(answer)
        return loop.create_future()

    def _heard(self) -> None:
        self._answered_at = self._clock()
        if self._answer is not None:
            self._answer.set_result(None)
            self._answer = None
