"""The words under which losses are counted: this package's own, and those for what others raise."""

from __future__ import annotations

import errno
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


def reason_of(error: Exception) -> str:
    """Give what a failure is counted under: never its message, which may hold anything."""
    match error:
        case ExportFailedError():
            return error.reason
        case OSError(errno=int(number)) if number in errno.errorcode:
            return errno.errorcode[number]
    return type(error).__name__
