"""The words under which losses are counted: this package's own, and those for what others raise."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from sk_observability.errors import ExportFailedError

CLOSED: Final = "closed"
"""It came after the close."""
QUEUE_FULL: Final = "queue_full"
"""It found no room among what waits to be sent."""
REJECTED: Final = "rejected"
"""A receiver took its batch without it (a partial success of OTLP)."""
SHUTDOWN_TIMEOUT: Final = "shutdown_timeout"
"""As far as anyone knew, it had not gone out when the time to close was over."""
STALLED: Final = "stalled"
"""It found no room, or was left at the end, while nothing went out at all."""
UNACCOUNTED: Final = "unaccounted"
"""An exporter that sends later took it and, when closed, had it neither as sent nor as lost."""


CONTAINED: Final = (Exception, SystemExit)
"""What another's code may raise and the run goes on: `sys.exit()` too, which is no interrupt."""


def failure_of(call: Callable[[], object]) -> ExportFailedError | None:
    """Call another's code, whoever wrote it; give why it failed, if so."""
    try:
        call()
    except ExportFailedError as error:
        return error
    except CONTAINED as error:
        return ExportFailedError(reason_of(error))
    return None


def reason_of(error: BaseException) -> str:
    """Give what a failure is counted under: never its message, which may hold anything."""
    match error:
        case ExportFailedError():
            return error.reason
        case OSError(errno=int(number)) if number in errno.errorcode:
            return errno.errorcode[number]
    return type(error).__name__
