"""What a caller says of its request: a name for it, the trace that it is part of, headers."""

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

#: A longer name is refused: it goes with each record, into each span and log line, and is held as
#: long as its request. As long as the name of a run may be.
_MOST_NAME: Final = 256

#: Of names that need only differ: without a system call for each, and reseeded in a forked child.
_random = Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)


def caller_of(headers: Mapping[str, str]) -> TraceParent | None:
    """The caller's span, as a request's header ``traceparent`` has it; None where none does."""
    said = headers.get(TRACEPARENT) if isinstance(headers, Mapping) else None
    return read_traceparent(said) if isinstance(said, str) else None


def names_of(trace_id: str | None, headers: Mapping[str, str]) -> tuple[str, str | None]:
    """The name that a request goes by, and a spare one for where that is taken, or None.

    The name is the trace id given, else that of the caller's trace, else a random one. Only a
    caller's trace has a spare one: it may have several requests in flight.
    """
    if trace_id:
        return trace_id, None
    caller = caller_of(headers) if headers else None
    random = f"{_random.getrandbits(128):032x}"
    return (random, None) if caller is None else (caller.trace_id, random)


def too_long_in(asked: Envelope[Any] | BoundaryDispatchInput) -> str:
    """Which name that a caller has made is too long, for a message; empty where none is."""
    for name, said in (("trace_id", asked.trace_id), ("reply_to", asked.reply_to)):
        if said is not None and len(said) > _MOST_NAME:
            return f"a {name} of more than {_MOST_NAME} characters"
    return ""


def require_sendable(asked: BoundaryDispatchInput) -> None:
    """Refuse what another process could not be told of, in every profile.

    :raises UnsendableRequestError: when what is said of the payload is not all text, or a name in
        it is too long.
    """
    group = "" if isinstance(asked.dispatch_group, str) else "a dispatch_group that is no text"
    if unfit := unfit_in(asked) or too_long_in(asked) or group:
        raise UnsendableRequestError(unfit)


def carried_with(
    asked: BoundaryDispatchInput, name: str, *, sampled: bool
) -> tuple[Correlation, bool]:
    """What is carried with a request's record, and whether the record is traced.

    :param name: the record's trace id, where no caller's trace says otherwise.
    :param sampled: whether it is traced, likewise.
    :raises UnsendableRequestError: when its headers are not all text, whether or not they are to be
        sent: every profile refuses the same.
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
