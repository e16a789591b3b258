"""What a worker says of an error that ends it: a category, and no payload and no secret."""

from __future__ import annotations

from sk_control import ControlError, Failed
from sk_kernel import AdapterFailedError, NodeFailedError, RunError, WireError
from sk_transport import TransportError

from sk_supervisor._align import AlignmentError
from sk_supervisor._frames import HeaderError

START, EXECUTION, TRANSPORT, PROTOCOL = "start", "execution", "transport", "protocol"
CRASH, HEARTBEAT = "crash", "heartbeat"


def failure_of(error: Exception, *, started: bool) -> Failed:
    """The report of ``error``; before the worker was ready its category is ``start``."""
    node = cause = ""
    match error:
        case NodeFailedError():
            node, cause = error.node, error.cause_type
        case AdapterFailedError():
            node, cause = error.adapter, error.cause_type
    if not started:
        category = START
    elif isinstance(error, WireError | AlignmentError | HeaderError):
        category = PROTOCOL
    elif isinstance(error, TransportError | ControlError):
        category = TRANSPORT
    else:
        category = EXECUTION
    # Only messages that are built from fields are known to hold nothing of a record.
    known = isinstance(error, RunError | TransportError | ControlError) or not started
    message = str(error) if known else type(error).__name__
    return Failed(category, node, cause or type(error).__name__, message)
