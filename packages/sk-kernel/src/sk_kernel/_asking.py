"""What a caller's own trace says of a request: its ``traceparent``, as a source's envelope's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from random import Random

from sk_kernel._boundary import BoundaryDispatchInput
from sk_kernel._envelope import Correlation
from sk_kernel._graph import SOURCE
from sk_kernel._trace_context import TRACEPARENT, TraceParent, read_traceparent

#: Names need only be unlike: no system call for each, and no two processes with the same ones.
_random = Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)


def caller_of(headers: Mapping[str, str]) -> TraceParent | None:
    """The caller's span, of a request's headers; None where they name none."""
    return read_traceparent(headers[TRACEPARENT]) if TRACEPARENT in headers else None


def names_of(trace_id: str | None, headers: Mapping[str, str]) -> tuple[str, str | None]:
    """The name that a request goes by, and another one for where that is taken.

    It is the trace id given, else that of the caller's trace, in which there may be several at
    once, else a random one.
    """
    if trace_id:
        return trace_id, None
    caller = caller_of(headers) if headers else None
    random = f"{_random.getrandbits(128):032x}"
    return (random, None) if caller is None else (caller.trace_id, random)


def told(asked: BoundaryDispatchInput, name: str, *, sampled: bool) -> tuple[Correlation, bool]:
    """What is carried with a request's record, and whether it is traced.

    :param name: the request's name: its trace id, where no caller's trace says otherwise.
    :param sampled: whether it is traced, likewise.
    """
    headers = dict(asked.headers)
    caller = caller_of(headers)
    if caller is None:
        return Correlation(name, asked.reply_to, headers, SOURCE), sampled
    said = headers.pop(TRACEPARENT)
    trace_id = asked.trace_id or caller.trace_id
    return Correlation(trace_id, asked.reply_to, headers, SOURCE, said), caller.sampled
