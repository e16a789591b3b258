"""A whole file: what each of its lines comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from fundload_reference._attempt import Unreadable, read_attempt
from fundload_reference._lines import Line, read_lines
from fundload_reference._reasons import Reason
from fundload_reference._rules import Decider, RuleSet
from fundload_reference._text import WHITE_SPACE

_REJECT_TEXT_BYTES = 1024


@dataclass(frozen=True)
class Outcome:
    """What one line that is not blank comes to.

    `reason` is None when the load is accepted, `reject` unless the line is unreadable; `output` and
    `reject` are bytes with their LF.
    """

    line_no: int
    output: bytes
    reason: Reason | None
    reject: bytes | None


def adjudicate(stream: BinaryIO, rules: RuleSet) -> Iterator[Outcome]:
    """Give the outcome of every line of the stream that is not blank, in input order."""
    decider = Decider(rules)
    for line in read_lines(stream):
        if line.too_long:
            yield _unreadable(line, Unreadable(Reason.INPUT_PARSE_ERROR))
        elif line.data.strip(WHITE_SPACE.encode("ascii")) != b"":
            yield _outcome(line, decider)


def _outcome(line: Line, decider: Decider) -> Outcome:
    attempt = read_attempt(line.data)
    if isinstance(attempt, Unreadable):
        return _unreadable(line, attempt)
    reason = decider.decide(attempt)
    output = _output_line(attempt.id, attempt.customer_id, accepted=reason is None)
    return Outcome(line.line_no, output, reason, None)


def _unreadable(line: Line, what: Unreadable) -> Outcome:
    output = _output_line(what.id, what.customer_id, accepted=False)
    text = line.data[:_REJECT_TEXT_BYTES].decode("utf-8", errors="replace")
    reject = {"line_no": line.line_no, "reason": what.reason.value, "text": text}
    written = json.dumps(reject, ensure_ascii=False, separators=(",", ":")) + "\n"
    return Outcome(line.line_no, output, what.reason, written.encode("utf-8"))


def _output_line(id_text: str, customer_text: str, *, accepted: bool) -> bytes:
    """Write a decision; an id is digits or nothing, so there is nothing in it to escape."""
    word = "true" if accepted else "false"
    line = f'{{"id":"{id_text}","customer_id":"{customer_text}","accepted":{word}}}\n'
    return line.encode("ascii")
