"""Where lines end, which are skipped, which are too long."""

from __future__ import annotations

import io
import json

import pytest
from fundload_reference import MAX_LINE_BYTES, Line, Reason, read_lines
from reference_bench import load, outcomes, outcomes_of_file, reject

MARK = b"\xef\xbb\xbf"
DECLINED_WITHOUT_IDS = b'{"id":"","customer_id":"","accepted":false}\n'


def lines_of(data: bytes) -> list[tuple[int, bytes]]:
    return [(line.line_no, line.data) for line in read_lines(io.BytesIO(data))]


def too_long(data: bytes) -> list[bool]:
    return [line.too_long for line in read_lines(io.BytesIO(data))]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", [(1, b"a")]),
        (b"a\n", [(1, b"a")]),
        (b"a\nb", [(1, b"a"), (2, b"b")]),
        (b"a\r\nb\r\n", [(1, b"a"), (2, b"b")]),
        (b"a\r\r\n", [(1, b"a\r")]),
        (b"a\rb\n", [(1, b"a\rb")]),
        (b"a\r", [(1, b"a\r")]),
        (b"\n\na\n", [(1, b""), (2, b""), (3, b"a")]),
        (MARK + b"a\n", [(1, b"a")]),
        (MARK, [(1, b"")]),
        (MARK + MARK + b"a\n", [(1, MARK + b"a")]),
        (b"a\n" + MARK + b"b\n", [(1, b"a"), (2, MARK + b"b")]),
    ],
)
def test_a_line_loses_its_end_and_the_file_its_mark(
    data: bytes, lines: list[tuple[int, bytes]]
) -> None:
    assert lines_of(data) == lines


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", MARK])
def test_a_line_of_one_mebibyte_is_not_too_long(mark: bytes, end: bytes) -> None:
    assert too_long(mark + b"x" * MAX_LINE_BYTES + end) == [False]


@pytest.mark.parametrize("extra", [1, 2, 3, 4, 5, 6, 7, 2 * MAX_LINE_BYTES])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", MARK])
def test_a_longer_line_is_too_long_and_the_next_one_is_whole(
    mark: bytes, end: bytes, extra: int
) -> None:
    file = mark + b"x" * (MAX_LINE_BYTES + extra) + end
    assert too_long(file) == [True]
    if end:
        *_, last = read_lines(io.BytesIO(file + b"next\n"))
        assert last == Line(2, b"next", too_long=False)


def test_a_cr_that_ends_the_file_counts_for_the_length() -> None:
    assert too_long(b"x" * MAX_LINE_BYTES + b"\r") == [True]


def test_blank_lines_produce_nothing_but_are_counted() -> None:
    data = b"\n \t\r \r\n" + load() + b"\n\r\n\t \nx\n  "
    assert [outcome.line_no for outcome in outcomes_of_file(data)] == [3, 6]


@pytest.mark.parametrize("data", [b"", b"\n", MARK, MARK + b"\r\n", b"\r", b" \t"])
def test_a_file_of_nothing_gives_nothing(data: bytes) -> None:
    assert outcomes_of_file(data) == []


@pytest.mark.parametrize("line", [b"\x0b", b"\x0c", b"\x00", "\u00a0".encode(), "\u2028".encode()])
def test_other_white_space_is_no_blank_line(line: bytes) -> None:
    (outcome,) = outcomes(line)
    assert outcome.reason is Reason.INPUT_PARSE_ERROR


def test_a_mark_inside_the_file_is_a_parse_error() -> None:
    first, second = outcomes(load(), MARK + load(id="2"))
    assert first.reason is None
    assert (second.reason, second.output) == (Reason.INPUT_PARSE_ERROR, DECLINED_WITHOUT_IDS)


def test_a_mark_before_the_first_line_is_dropped() -> None:
    (outcome,) = outcomes_of_file(MARK + load() + b"\n")
    assert outcome.reason is None


def test_white_space_around_the_value_is_dropped_with_or_without_a_final_newline() -> None:
    (outcome,) = outcomes_of_file(b" \t\r" + load() + b" \t\r")
    assert outcome.reason is None


def padded(length: int) -> bytes:
    """A good line of `length` bytes."""
    return load(note="x" * (length - len(load(note=""))))


def test_a_good_line_of_one_mebibyte_is_read() -> None:
    (outcome,) = outcomes(padded(MAX_LINE_BYTES))
    assert outcome.reason is None


def test_a_good_line_that_is_too_long_is_declined_without_ids() -> None:
    (outcome,) = outcomes(padded(MAX_LINE_BYTES + 1))
    assert (outcome.reason, outcome.output) == (Reason.INPUT_PARSE_ERROR, DECLINED_WITHOUT_IDS)


def test_too_long_wins_over_blank() -> None:
    assert reject(b" " * (MAX_LINE_BYTES + 1))["reason"] == "INPUT_PARSE_ERROR"


def test_the_reject_of_a_line_that_is_too_long_shows_its_first_kibibyte() -> None:
    (outcome,) = outcomes_of_file(MARK + b"y" * (3 * MAX_LINE_BYTES))
    assert outcome.reject is not None
    assert json.loads(outcome.reject)["text"] == "y" * 1024


def test_a_reject_is_compact_json_with_raw_text_and_keys_in_order() -> None:
    (outcome,) = outcomes('{"id": "ü",\t\x01\x7f\\'.encode())
    assert (
        outcome.reject
        == (
            '{"line_no":1,"reason":"INPUT_PARSE_ERROR",'
            '"text":"{\\"id\\": \\"ü\\",\\t\\u0001\x7f\\\\"}\n'
        ).encode()
    )


def test_a_reject_keeps_white_space_of_its_line_but_not_its_end() -> None:
    (outcome,) = outcomes_of_file(b" x \r\r\n")
    assert outcome.reject is not None
    assert json.loads(outcome.reject)["text"] == " x \r"


def test_the_text_of_a_reject_is_cut_by_bytes_and_half_a_character_is_replaced() -> None:
    assert reject(b"x" * 1023 + "ü".encode())["text"] == "x" * 1023 + "\ufffd"


def test_invalid_utf8_is_replaced_in_the_text_of_a_reject() -> None:
    assert reject(b"a\xff\xed\xa0\x80b")["text"] == "a\ufffd\ufffd\ufffd\ufffdb"


def test_only_unreadable_lines_have_a_reject() -> None:
    accepted, replayed, unreadable = outcomes(load(), load(), b"x")
    assert accepted.reject is None
    assert replayed.reject is None
    assert unreadable.reject is not None
