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

from sk_kernel import NodeOutputError, RunError, UnsendableRequestError
from sk_kernel.runtime import application_traceback

#: At most so many at once, and in the long run one in so many seconds: all fail alike, mostly.
BURST: Final = 10
SECONDS_EACH: Final = 1.0
_LOG: Final = logging.getLogger("sk_supervisor.requests")


class RequestFaults:
    """One record of level ERROR for each, within the rate; the others are counted. Any thread.

    :param clean: takes what nobody may be shown out of a text.
    :param clock: seconds that only grow.
    """

    def __init__(
        self, clean: Callable[[str], str] = str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clean, self._clock = clean, clock
        self._lock = threading.Lock()
        self._free, self._filled_at = float(BURST), clock()
        self._left_out = 0

    def tell(self, error: RunError | UnsendableRequestError) -> None:
        """Log what a request has failed of, or count it."""
        with self._lock:
            now = self._clock()
            self._free += (now - self._filled_at) / SECONDS_EACH
            self._free, self._filled_at = min(self._free, float(BURST)), now
            if self._free < 1:
                self._left_out += 1
                return
            self._free -= 1
        self.tell_rest()
        _LOG.error("%s", self._clean(_told(error)))

    def tell_rest(self) -> None:
        """Log how many were left out since they were last told of; nothing where none was."""
        with self._lock:
            left_out, self._left_out = self._left_out, 0
        if left_out:
            _LOG.error("%d more requests have failed, and are not shown", left_out)


def _told(error: RunError | UnsendableRequestError) -> str:
    """The error, its trace, and the application's own frames of what was raised."""
    trace = f" (trace {error.trace_id})" if error.trace_id else ""
    said = f"a request has failed: {error}{trace}"
    if error.__cause__ is None or isinstance(error, NodeOutputError):  # no line of theirs
        return said
    return f"{said}\n{application_traceback(error.__cause__)}"
