"""What requests have failed of, with the traceback, in the log of the process of their nodes.

A request's outcome says no more than the type of what was raised. Whoever has to mend it looks
here: standard error, where the program has not configured ``logging`` otherwise. A worker's is
shown, and masked, by its supervisor.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from sk_kernel import NodeOutputError, RequestExpiredError, RunError, UnsendableRequestError
from sk_kernel.runtime import application_traceback, line_of

#: At most so many at once, and in the long run one in so many seconds: all fail alike, mostly.
BURST: Final = 10
SECONDS_EACH: Final = 1.0
_LOG: Final = logging.getLogger("sk_supervisor.requests")


class RequestFaults:
    """One record for each, within the rate; the others are counted. Any thread.

    A failure is of level ERROR, with the traceback. A request that was cancelled as its time was
    over is one line of level WARNING, at a rate of its own: under overload these are nearly all,
    and no failure may go unseen among them.

    :param clean: takes what nobody may be shown out of a text.
    :param clock: seconds that only grow.
    """

    def __init__(
        self, clean: Callable[[str], str] = str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clean = clean
        self._lock = threading.Lock()
        self._failures = _Paced(logging.ERROR, "requests have failed", clock)
        self._cancelled = _Paced(logging.WARNING, "requests were cancelled", clock)

    def tell(self, error: RunError | UnsendableRequestError) -> None:
        """Log what has become of a request, or count it."""
        cancelled = isinstance(error.__cause__, RequestExpiredError)
        paced = self._cancelled if cancelled else self._failures
        with self._lock:
            if not paced.takes():
                return
            paced.tell_rest()
        _LOG.log(paced.level, "%s", self._clean(_told(error)))

    def tell_rest(self) -> None:
        """Log how many were left out since they were last told of; nothing where none was."""
        with self._lock:
            self._failures.tell_rest()
            self._cancelled.tell_rest()


class _Paced:
    """What is logged of one kind: so many at once, then one each second, and a count of the others.

    :param others: says, behind their number and ``more``, what has become of them.
    """

    def __init__(self, level: int, others: str, clock: Callable[[], float]) -> None:
        self.level, self._others, self._clock = level, others, clock
        self._free, self._filled_at = float(BURST), clock()
        self._left_out = 0

    def takes(self) -> bool:
        """Whether one more is within the rate; if not, it is counted."""
        now = self._clock()
        self._free += (now - self._filled_at) / SECONDS_EACH
        self._free, self._filled_at = min(self._free, float(BURST)), now
        if self._free < 1:
            self._left_out += 1
            return False
        self._free -= 1
        return True

    def tell_rest(self) -> None:
        """Log the count of those that were not taken since."""
        left_out, self._left_out = self._left_out, 0
        if left_out:
            _LOG.log(self.level, "%d more %s, and are not shown", left_out, self._others)


def _told(error: RunError | UnsendableRequestError) -> str:
    """The error, its trace, and the application's own frames of what was raised."""
    trace = f" (trace {error.trace_id})" if error.trace_id else ""
    cause = error.__cause__
    if isinstance(cause, RequestExpiredError):
        return _told_cancelled(cause, trace)
    said = f"a request has failed: {error}{trace}"
    if cause is None or (isinstance(error, NodeOutputError) and not line_of(cause)):
        return said  # no code of the application raised it
    return f"{said}\n{application_traceback(cause)}"


def _told_cancelled(expired: RequestExpiredError, trace: str) -> str:
    """Which node had not done with it, and where in it that was."""
    from asyncio import CancelledError  # a coroutine was: it is there

    stood = expired.__cause__
    place = line_of(stood) if stood is not None else ""
    said = f"a request was cancelled: its time was over in node {expired.node!r}{place}{trace}"
    if stood is None or isinstance(stood, CancelledError):
        return said
    return f"{said}\n{application_traceback(stood)}"  # it has raised something of its own, too
