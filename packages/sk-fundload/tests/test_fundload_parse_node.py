"""The quick way to read a line and the careful one read the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sk_fundload.domain import MAX_DEPTH, read_line
from sk_fundload.generator import generate
from sk_fundload.generator._dirt import UNREADABLE, longest_lines
from sk_fundload.messages import LoadAttempt, RawLine, Unreadable
from sk_fundload.nodes import ParseLoadAttempt, ReadSettings

DIGITS = st.text("0123456789", min_size=1, max_size=42)
ODD_TEXT = st.text(" \t\r\n$.+-_:TZtz0129USD\u0661\u00b2\uff11\u00e9\x00\x7f", max_size=24)
IDS = DIGITS | st.integers(-(10**42), 10**42) | ODD_TEXT | st.none() | st.booleans() | st.floats()
AMOUNTS = (
    st.from_regex(r"(\$|USD|USD\$|\$USD)?[0-9]{0,16}\.?[0-9]{0,3}", fullmatch=True)
    | ODD_TEXT
    | st.integers()
)
TIMES = (
    st.from_regex(
        r"(0000|0001|9999|2000)-(01|02|12)-(01|29|30|31)[Tt ](00|12|23|24):(00|59|60):(00|59|60)"
        r"(\.[0-9]{1,7})?([Zz]|[+-](00|23|24):(00|59|60))?",
        fullmatch=True,
    )
    | ODD_TEXT
    | st.none()
)
LINES = st.fixed_dictionaries(
    {"id": IDS, "customer_id": IDS, "load_amount": AMOUNTS, "time": TIMES},
    optional={"note": st.text(max_size=8) | st.integers() | st.lists(st.none(), max_size=3)},
)


def new() -> ParseLoadAttempt:
    return ParseLoadAttempt(ReadSettings(), None)


PARSE = new()
MANY = settings(max_examples=4 * settings().max_examples)


def with_care(line_no: int, data: bytes) -> LoadAttempt | Unreadable:
    read = read_line(data)
    if read.reason:
        return Unreadable(line_no, read.id, read.customer_id, read.reason, data[:1024])
    return LoadAttempt(read.id, read.customer_id, read.cents, read.instant)


def both_ways_agree(data: bytes) -> bool:
    expected = with_care(1, data)
    # By a node that has just begun, and by one that remembers the times that it has seen.
    return all(parse(RawLine(1, data)) == expected for parse in (new(), PARSE, PARSE))


@MANY
@given(LINES, st.booleans(), st.sampled_from([(",", ":"), (", ", " : ")]))
def test_any_fields_are_read_the_same(
    fields: dict[str, Any], ascii_only: bool, separators: tuple[str, str]
) -> None:
    data = json.dumps(fields, ensure_ascii=ascii_only, separators=separators).encode()
    assert both_ways_agree(data)


@MANY
@given(LINES, st.data())
def test_a_damaged_line_is_read_the_same(fields: dict[str, Any], data: st.DataObject) -> None:
    line = json.dumps(fields, ensure_ascii=data.draw(st.booleans())).encode()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(line))] * 2)))
    filling = data.draw(st.binary(max_size=3) | st.sampled_from([b"", b"0", b'"', b"\\", b"\xff"]))
    assert both_ways_agree(line[:start] + filling + line[min(end, start + 3) :])


@pytest.mark.parametrize(
    "amount", ["USD12", "USD.1", "USD$1", "USD.12", "USD$.12", "$.12", "USD$0.1"]
)
def test_an_amount_without_dollars_or_cents_is_read_the_same(amount: str) -> None:
    line = {"id": "1", "customer_id": "2", "load_amount": amount, "time": "2000-01-01T00:00:00Z"}
    assert both_ways_agree(json.dumps(line).encode())


@given(st.binary(max_size=100))
@example(b"")
@example(b"\xef\xbb\xbf{}")
def test_any_bytes_are_read_the_same(data: bytes) -> None:
    assert both_ways_agree(data)


@pytest.mark.parametrize("seed", [1, 2])
def test_generated_lines_are_read_the_same(seed: int) -> None:
    data = b"".join(generate(3_000, seed, dirty=True))
    assert [line for line in data.split(b"\n") if not both_ways_agree(line)] == []


def test_the_generator_s_unreadable_lines_are_read_the_same() -> None:
    lines = (*UNREADABLE, *longest_lines("5"))
    assert [line[:80] for line in lines if not both_ways_agree(line)] == []


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH])
def test_the_bound_on_nesting_is_the_same(depth: int) -> None:
    good = b'{"id":"1","customer_id":"2","load_amount":"$1.00","time":"2000-01-01T00:00:00Z"'
    data = good + b',"x":' + b"[" * depth + b"]" * depth + b"}"
    assert both_ways_agree(data)
    readable = isinstance(PARSE(RawLine(1, data)), LoadAttempt)
    assert readable is (depth < MAX_DEPTH)


@pytest.mark.parametrize("amount", ["$123456789012345.67", "123456789012345.67", "1.00", "$1.00"])
def test_the_longest_and_the_shortest_amount_are_read(amount: str) -> None:
    line = {"id": "1", "customer_id": "2", "load_amount": amount, "time": "2000-01-01T00:00:00Z"}
    read = PARSE(RawLine(1, json.dumps(line).encode()))
    assert isinstance(read, LoadAttempt)
    assert read.cents == int(amount.lstrip("$").replace(".", ""))


def test_an_unreadable_line_keeps_its_number_and_its_first_kilobyte() -> None:
    data = b"x" * 5_000
    assert PARSE(RawLine(17, data)) == Unreadable(17, "", "", "INPUT_PARSE_ERROR", data[:1_024])


@given(lines=st.lists(LINES, max_size=12))
def test_lines_read_together_read_as_each_alone(lines: list[dict[str, Any]]) -> None:
    raw = [RawLine(number, json.dumps(line).encode()) for number, line in enumerate(lines, 1)]
    expected = [with_care(line.line_no, line.data) for line in raw]
    assert new().process_batch(raw) == PARSE.process_batch(raw) == expected
