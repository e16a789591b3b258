"""The control message in which a worker reports the error that ends it."""

from __future__ import annotations

from sk_control import ControlError, Failed
from sk_transport import TransportError

from sk_supervisor._protocol.failures import START, TRANSPORT, failure_of


def failed_of(error: BaseException, *, started: bool) -> Failed:
    """The message for ``error``; its category is ``start`` before the worker was ready."""
    if isinstance(error, TransportError | ControlError):
        category = TRANSPORT if started else START
        return Failed(category, cause_type=type(error).__name__, message=str(error))
    return Failed(*failure_of(error, started=started))
