"""The caller's data in a request: its trace id or the trace it is part of, and its headers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from sk_kernel._graph.graph import SOURCE
from sk_kernel._record.boundary import BoundaryDispatchInput
from sk_kernel._record.envelope import Correlation, Envelope, unfit_headers, unfit_in
from sk_kernel._record.trace_context import TRACEPARENT, TraceParent, read_traceparent
from sk_kernel.errors import UnsendableRequestError

#: The maximum length of a name, the same as of a run's name: it is stored with its request and
#: copied into each record, span and log line.
_MOST_NAME: Final = 256

#: For names that must only differ: no system call for each, and reseeded in a forked child.
_random = Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)


def caller_of(headers: Mapping[str, str]) -> TraceParent | None:
    """Return the caller's span from the header ``traceparent``; None if there is none."""
    said = headers.get(TRACEPARENT) if isinstance(headers, Mapping) else None
    return read_traceparent(said) if isinstance(said, str) else None


def names_of(trace_id: str | None, headers: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the name of a request, and a spare name (or None) for when that is in use.

    The name is the given trace id, otherwise that of the caller's trace, otherwise a random one.
    Only a name from a caller's trace has a spare one: that trace may have several requests in
    flight.
    """
    if trace_id:
        return trace_id, None
    caller = caller_of(headers) if headers else None
    random = f"{_random.getrandbits(128):032x}"
    return (random, None) if caller is None else (caller.trace_id, random)


def too_long_in(asked: Envelope[Any] | BoundaryDispatchInput) -> str:
    """Describe the name that is too long, for a message; empty if none is."""
    for name, said in (("trace_id", asked.trace_id), ("reply_to", asked.reply_to)):
        if said is not None and len(said) > _MOST_NAME:
            return f"a {name} of more than {_MOST_NAME} characters"
    return ""


def require_sendable(asked: BoundaryDispatchInput) -> None:
    """Reject, in every profile, what could not be sent to another process.

    :raises UnsendableRequestError: when the payload's metadata is not all text, or a name in it is
        too long.
    """
    group = "" if isinstance(asked.dispatch_group, str) else "a dispatch_group that is no text"
    if unfit := unfit_in(asked) or too_long_in(asked) or group:
        raise UnsendableRequestError(unfit)


def carried_with(
    asked: BoundaryDispatchInput, name: str, *, sampled: bool
) -> tuple[Correlation, bool]:
    """Return the metadata to send with a request's record, and whether the record is traced.

    :param name: the record's trace id, unless the caller's trace has one.
    :param sampled: whether it is traced, unless the caller's trace decides that.
    :raises UnsendableRequestError: when its headers are not all text, even if they need not be
        sent: every profile rejects the same.
    """
    headers = dict(asked.headers) if isinstance(asked.headers, Mapping) else asked.headers
    if unfit := unfit_headers(headers):
        raise UnsendableRequestError(unfit)
    caller = caller_of(headers)
    if caller is None:
        return Correlation(name, asked.reply_to, headers, SOURCE), sampled
    said = headers.pop(TRACEPARENT)
    trace_id = asked.trace_id or caller.trace_id
    return Correlation(trace_id, asked.reply_to, headers, SOURCE, said), caller.sampled
