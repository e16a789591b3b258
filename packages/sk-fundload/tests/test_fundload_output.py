"""The line of output and the line of the rejects file."""

from __future__ import annotations

import gc
import json
from typing import Any

import msgspec
import pytest
from sk_fundload import messages
from sk_fundload.messages import Decision, OutputLine, Unreadable
from sk_fundload.nodes import FormatOutput

WIRE = [
    messages.RawLine(1, b"x"),
    messages.LoadAttempt("1", "2", 3, 4),
    messages.Unreadable(1, "2", "3", "R", b"\xff"),
    messages.Timed("1", messages.LoadAttempt("1", "2", 3, 4), 5, 6),
    messages.Gated(messages.Timed("1", messages.LoadAttempt("1", "2", 3, 4), 5, 6), ""),
    messages.Featured("1", "2", 3, 4, 5, True, "D"),
    messages.Judged("1", "2", 3, 4, 5, False, True, ""),
    messages.Decision("1", "2", True, ""),
    messages.OutputLine("x\n", "R", "{}\n"),
]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (True, '{"id":"007","customer_id":"528","accepted":true}\n'),
        (False, '{"id":"007","customer_id":"528","accepted":false}\n'),
    ],
)
def test_a_decision_is_three_keys_of_compact_json(accepted: bool, expected: str) -> None:
    line = FormatOutput()(Decision("007", "528", accepted, "" if accepted else "R"))
    assert line == OutputLine(expected, "" if accepted else "R", "")


def test_an_unreadable_line_is_declined_with_what_could_be_read_of_it() -> None:
    line = FormatOutput()(Unreadable(3, "", "528", "INVALID_ID_FORMAT", b"{}"))
    assert line.text == '{"id":"","customer_id":"528","accepted":false}\n'
    assert line.reason == "INVALID_ID_FORMAT"


def test_the_account_of_an_unreadable_line_is_compact_json_with_raw_non_ascii() -> None:
    text = 'caf\u00e9 \U0001f600 "\\\x01\r'.encode() + b"\xff\xc3"
    reject = FormatOutput()(Unreadable(3, "", "", "INPUT_PARSE_ERROR", text)).reject
    assert reject.startswith(
        '{"line_no":3,"reason":"INPUT_PARSE_ERROR","text":"caf\u00e9 \U0001f600'
    )
    assert reject.endswith("\n")
    assert reject.count("\n") == 1
    fields: dict[str, Any] = json.loads(reject)
    assert fields["text"] == 'caf\u00e9 \U0001f600 "\\\x01\r\ufffd\ufffd'


@pytest.mark.parametrize("message", WIRE, ids=lambda m: type(m).__name__)
def test_a_message_crosses_a_process_border_unchanged(message: msgspec.Struct) -> None:
    wire = msgspec.msgpack.encode([message, message])
    assert msgspec.msgpack.decode(wire, type=list[type(message)]) == [message] * 2  # type: ignore[misc]


@pytest.mark.parametrize("message", WIRE, ids=lambda m: type(m).__name__)
def test_no_message_is_the_garbage_collector_s_business(message: msgspec.Struct) -> None:
    assert not gc.is_tracked(message)
