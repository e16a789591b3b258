"""A worker's report of the error that ends it, as a message of the control plane."""

from __future__ import annotations

from sk_control import ControlError, Failed
from sk_transport import TransportError

from sk_supervisor._protocol.failures import START, TRANSPORT, failure_of


def failed_of(error: BaseException, *, started: bool) -> Failed:
    """The report of ``error``; before the worker was ready its category is ``start``."""
    if isinstance(error, TransportError | ControlError):
        category = TRANSPORT if started else START
        return Failed(category, cause_type=type(error).__name__, message=str(error))
    return Failed(*failure_of(error, started=started))
