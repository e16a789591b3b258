"""The trace contexts (``traceparent``) that a source's envelopes carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from sk_kernel._graph.graph import SOURCE
from sk_kernel._record.envelope import Envelope, unfit_in
from sk_kernel._record.trace_context import TRACEPARENT, TraceParent, read_traceparent
from sk_kernel.errors import NodeOutputError

#: The ``traceparent`` of each record that had one, by sequence number.
Callers = dict[int, TraceParent]


def called(payloads: Sequence[Any], first: int) -> tuple[Sequence[Any], Callers]:
    """Take the ``traceparent`` out of the envelopes that a source returned.

    Return the payloads without it, and the parsed values. Its trace id is used if the envelope has
    none. A header that is not a valid ``traceparent`` is left as it is.

    :param first: the sequence number of the first payload.
    :raises NodeOutputError: when an envelope has metadata that is not text.
    """
    callers: Callers = {}
    given: list[Any] = []
    for row, payload in enumerate(payloads):
        if type(payload) is not Envelope:
            continue
        if unfit := unfit_in(payload):
            raise NodeOutputError(SOURCE, f"an Envelope with {unfit}", "", first + row)
        if TRACEPARENT not in payload.headers:
            continue
        caller = read_traceparent(payload.headers[TRACEPARENT])
        if caller is not None:
            rest = {name: said for name, said in payload.headers.items() if name != TRACEPARENT}
            trace_id = payload.trace_id or caller.trace_id
            given = given or list(payloads)
            given[row] = replace(payload, trace_id=trace_id, headers=rest)
            callers[first + row] = caller
    return given or payloads, callers
