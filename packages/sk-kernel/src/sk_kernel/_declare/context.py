"""The context of a record, for nodes that ask for it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sk_kernel._record.envelope import EMPTY_HEADERS, Key
from sk_kernel._record.ids import span_id
from sk_kernel._record.trace_context import w3c_trace_id, write_traceparent


class Context(msgspec.Struct, frozen=True, gc=False):
    """The context of a record, for a node that has a parameter of this type.

    - ``sequence`` counts the records of the source from 1. Records that a ``finish()`` returns have
      the number after the last one; records of requests have a negative number.
    - ``trace_id`` is 32 hexadecimal digits, the same in every run with the same ``run_id``, unless
      an envelope has set a trace id of its own.
    - ``sampled`` is true if the record's trace is recorded.
    - ``key`` is the record's place in the run's order; it distinguishes the record's spans.
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
        """The W3C Trace Context of this node's span on this record, for services that it calls.

        The span has the same id in every run with the same ``run_id``. It is recorded if the last
        two digits are ``01``, or if the record fails in this node.
        """
        trace_id = w3c_trace_id(self.trace_id)
        own = span_id(trace_id, self.node, self.sequence if self.key is None else self.key)
        return write_traceparent(trace_id, own, sampled=self.sampled)
