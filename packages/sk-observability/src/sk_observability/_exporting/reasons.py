"""The reasons under which lost items are counted: this package's own, and those of exceptions."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from sk_observability.errors import ExportFailedError

CLOSED: Final = "closed"
"""The item came after the close."""
QUEUE_FULL: Final = "queue_full"
"""The queue of unsent items had no room."""
REJECTED: Final = "rejected"
"""The receiver accepted the batch without this item (a partial success of OTLP)."""
SHUTDOWN_TIMEOUT: Final = "shutdown_timeout"
"""The item was not known to be sent when the time to close was over."""
STALLED: Final = "stalled"
"""There was no room for the item, or it was left at the end, while no item at all went out."""
UNACCOUNTED: Final = "unaccounted"
"""A deferred exporter took the item and, after its close, counted it neither as sent nor lost."""


CONTAINED: Final = (Exception, SystemExit)
"""Exceptions of other packages' code that the run survives: `sys.exit()` too, but no interrupt."""


def failure_of(call: Callable[[], object]) -> ExportFailedError | None:
    """Call an exporter's code and return its failure, or None."""
    try:
        call()
    except ExportFailedError as error:
        return error
    except CONTAINED as error:
        return ExportFailedError(reason_of(error))
    return None


def reason_of(error: BaseException) -> str:
    """Return the reason under which an error is counted; never its message, which may be secret."""
    match error:
        case ExportFailedError():
            return error.reason
        case OSError(errno=int(number)) if number in errno.errorcode:
            return errno.errorcode[number]
    return type(error).__name__
