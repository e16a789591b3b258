"""Formatting the lines of the output and of the rejects file."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sk_kernel import node

from sk_fundload.messages import Decision, OutputLine, Unreadable


class _Reject(msgspec.Struct, gc=False):
    line_no: int
    reason: str
    text: str


_encode = msgspec.json.Encoder().encode


@node(name="format_output", stage="egress")
class FormatOutput:
    """Format compact JSON with three keys. Ids are digits or empty, so nothing is escaped."""

    def __call__(self, decision: Decision | Unreadable) -> OutputLine:
        """Format the line of one decision."""
        return self.process_batch((decision,))[0]

    def process_batch(self, decisions: Sequence[Decision | Unreadable]) -> list[OutputLine]:
        """Format one line for each decision."""
        lines: list[OutputLine] = []
        add = lines.append
        for decision in decisions:
            head = f'{{"id":"{decision.id}","customer_id":"{decision.customer_id}","accepted":'
            if isinstance(decision, Decision):
                tail = "true}\n" if decision.accepted else "false}\n"
                add(OutputLine(head + tail, decision.reason))
            else:
                add(OutputLine(head + "false}\n", decision.reason, _reject(decision)))
        return lines


def _reject(decision: Unreadable) -> str:
    shown = decision.text.decode("utf-8", "replace")
    return _encode(_Reject(decision.line_no, decision.reason, shown)).decode() + "\n"
