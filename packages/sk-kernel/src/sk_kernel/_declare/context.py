"""The context that a node may ask for."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sk_kernel._record.envelope import EMPTY_HEADERS, Key
from sk_kernel._record.ids import span_id
from sk_kernel._record.trace_context import w3c_trace_id, write_traceparent


class Context(msgspec.Struct, frozen=True, gc=False):
    """Where a record is, for a node that has a parameter of this type.

    ``sequence`` counts the records of the source from 1; records made by a ``finish()`` have the
    number after the last, those of requests a negative one. ``trace_id`` is 32 hexadecimal digits,
    the same in every run with the same ``run_id``, unless an envelope gave its own. ``sampled``
    says whether the record's trace is recorded. ``key`` is the record's place in the run's order,
    by which its spans are told apart.
    """

    run_id: str
    scenario: str
    group: str
    node: str
    sequence: int
    trace_id: str
    reply_to: str | None = None
    headers: Mapping[str, str] = EMPTY_HEADERS
    sampled: bool = False
    key: Key | None = None

    @property
    def traceparent(self) -> str:
        """This node's span on this record as W3C Trace Context, to be given to whom the node calls.

        The span has this id in every run with the same ``run_id``; it is recorded where the last
        two digits are ``01``, or where the record fails here.
        """
        trace_id = w3c_trace_id(self.trace_id)
        own = span_id(trace_id, self.node, self.sequence if self.key is None else self.key)
        return write_traceparent(trace_id, own, sampled=self.sampled)
