"""The facts of an error that ends a worker or a memory run, without payloads and secrets."""

from __future__ import annotations

from typing import NamedTuple

from sk_kernel import (
    AdapterFailedError,
    NodeFailedError,
    NodeOutputError,
    RecordTooLargeError,
    RunError,
    UnknownTargetError,
    WireError,
)
from sk_kernel.runtime import remedy_of, with_remedy

from sk_supervisor._peer_errors import AlignmentError, HeaderError
from sk_supervisor.errors import SupervisorError

START, EXECUTION, TRANSPORT, PROTOCOL = "start", "execution", "transport", "protocol"
CRASH, HEARTBEAT, TIMEOUT, STUCK = "crash", "heartbeat", "timeout", "stuck"
MEMORY = "memory"


class Failure(NamedTuple):
    """The facts of an error; ``node`` and ``trace_id`` are empty if it has none."""

    category: str
    node: str
    cause_type: str
    message: str
    trace_id: str


def failure_of(error: BaseException, *, started: bool) -> Failure:
    """The facts of ``error``; its category is ``start`` before the worker was ready."""
    node, cause = "", type(error).__name__
    match error:
        case NodeFailedError():
            node, cause = error.node, error.cause_type
        case AdapterFailedError():
            node, cause = error.adapter, error.cause_type
            if has_no_reader(error):
                cause = BrokenPipeError.__name__
        case NodeOutputError() | UnknownTargetError() | RecordTooLargeError():
            node = error.node
    if not started:
        category = START
    elif isinstance(error, WireError | AlignmentError | HeaderError):
        category = PROTOCOL
    else:
        category = EXECUTION
    # Only messages that are built from fields are known to contain no data of a record.
    safe = RunError | SupervisorError
    message = str(error) if isinstance(error, safe) or not started else cause
    trace = (error.trace_id or "") if isinstance(error, RunError) else ""
    return Failure(category, node, cause, message, trace)


def refusal_of(error: Exception) -> str:
    """Why a process or session cannot be created; with a remedy if the cause is a system limit."""
    if isinstance(error, OSError):
        return with_remedy(error)
    cause = error.__cause__ or error.__context__
    remedy = remedy_of(cause) if isinstance(cause, OSError) else ""
    return f"{error}; {remedy}" if remedy else str(error)


def has_no_reader(error: BaseException) -> bool:
    """Whether an adapter failed because its output has no reader any more (a broken pipe)."""
    cause = error.__cause__ if isinstance(error, AdapterFailedError) else None
    while cause is not None and not isinstance(cause, BrokenPipeError):
        cause = cause.__cause__
    return cause is not None
