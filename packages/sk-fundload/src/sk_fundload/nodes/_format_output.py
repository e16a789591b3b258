"""The line of output, and the line of the rejects file."""

from __future__ import annotations

import msgspec
from sk_kernel import node

from sk_fundload.messages import Decision, OutputLine, Unreadable


class _Reject(msgspec.Struct, gc=False):
    line_no: int
    reason: str
    text: str


_encode = msgspec.json.Encoder().encode


@node(name="format_output", stage="egress")
def format_output(decision: Decision | Unreadable) -> OutputLine:
    """Write compact JSON with three keys. Ids are digits or empty: nothing needs escaping."""
    head = f'{{"id":"{decision.id}","customer_id":"{decision.customer_id}","accepted":'
    if isinstance(decision, Decision):
        tail = "true}\n" if decision.accepted else "false}\n"
        return OutputLine(head + tail, decision.reason)
    shown = decision.text.decode("utf-8", "replace")
    reject = _encode(_Reject(decision.line_no, decision.reason, shown)).decode() + "\n"
    return OutputLine(head + "false}\n", decision.reason, reject)
