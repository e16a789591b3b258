"""A log of request failures, with tracebacks, in the process that runs the nodes.

The outcome of a request carries only the type of the exception. The rest is in this log: on
standard error, unless the program configures ``logging`` otherwise. The supervisor shows the
standard error of its workers, with secrets masked.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final

from sk_kernel import NodeOutputError, RequestExpiredError, RunError, UnsendableRequestError
from sk_kernel.runtime import application_traceback, line_of

#: The rate limit: a burst of so many records, then one per so many seconds. Failures of many
#: requests are mostly alike.
BURST: Final = 10
SECONDS_EACH: Final = 1.0
_LOG: Final = logging.getLogger("sk_supervisor.requests")


class RequestFaults:
    """Logs one record for each failed request, up to a rate; counts the others. Any thread.

    A failure is logged at level ERROR, with its traceback. A request that was cancelled because its
    time was over is logged as one line at level WARNING, at a rate of its own: under overload most
    requests end like this, and must not displace the failures.

    A logging handler of the program that raises does not affect requests or the run: its traceback
    goes to standard error.

    :param clean: masks secrets in a text.
    :param clock: a monotonic clock, in seconds.
    """

    def __init__(
        self, clean: Callable[[str], str] = str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clean = clean
        self._lock = threading.Lock()
        self._failures = _Paced(logging.ERROR, "requests have failed", clock)
        self._cancelled = _Paced(logging.WARNING, "requests were cancelled", clock)

    def tell(self, error: RunError | UnsendableRequestError) -> None:
        """Log the failure or cancellation of a request, or count it if it is over the rate."""
        cancelled = isinstance(error.__cause__, RequestExpiredError)
        paced = self._cancelled if cancelled else self._failures
        with self._lock:
            if not paced.takes():
                return
            paced.tell_rest()
        _log(paced.level, "%s", self._clean(_told(error)))

    def tell_rest(self) -> None:
        """Log how many records were left out since the last count, if any."""
        with self._lock:
            self._failures.tell_rest()
            self._cancelled.tell_rest()


class _Paced:
    """A rate limit for one kind of records (a token bucket), and a count of those over it.

    :param others: the text that follows their number in the message, as in "3 more ``others``".
    """

    def __init__(self, level: int, others: str, clock: Callable[[], float]) -> None:
        self.level, self._others, self._clock = level, others, clock
        self._free, self._filled_at = float(BURST), clock()
        self._left_out = 0

    def takes(self) -> bool:
        """Return whether one more record is within the rate; if not, count it."""
        now = self._clock()
        self._free += (now - self._filled_at) / SECONDS_EACH
        self._free, self._filled_at = min(self._free, float(BURST)), now
        if self._free < 1:
            self._left_out += 1
            return False
        self._free -= 1
        return True

    def tell_rest(self) -> None:
        """Log the number of records over the rate since the last call, if any."""
        left_out, self._left_out = self._left_out, 0
        if left_out:
            _log(self.level, "%d more %s, and are not shown", left_out, self._others)


def _log(level: int, message: str, *arguments: object) -> None:
    try:
        _LOG.log(level, message, *arguments)
    except Exception:  # noqa: BLE001 - of a handler; standard error is all that is left
        with contextlib.suppress(OSError, ValueError):
            traceback.print_exc(file=sys.stderr)


def _told(error: RunError | UnsendableRequestError) -> str:
    """The error, its trace id, and the traceback of its cause from the application's code on."""
    trace = f" (trace {error.trace_id})" if error.trace_id else ""
    cause = error.__cause__
    if isinstance(cause, RequestExpiredError):
        return _told_cancelled(cause, trace)
    said = f"a request has failed: {error}{trace}"
    if cause is None or (isinstance(error, NodeOutputError) and not line_of(cause)):
        return said  # not raised by the application's code
    return f"{said}\n{application_traceback(cause)}"


def _told_cancelled(expired: RequestExpiredError, trace: str) -> str:
    """The node that was running when the request was cancelled, and the line that it was at."""
    from asyncio import CancelledError  # deferred: imports asyncio

    stood = expired.__cause__
    place = line_of(stood) if stood is not None else ""
    said = f"a request was cancelled: its time was over in node {expired.node!r}{place}{trace}"
    if stood is None or isinstance(stood, CancelledError):
        return said
    return f"{said}\n{application_traceback(stood)}"  # the node raised another error meanwhile
