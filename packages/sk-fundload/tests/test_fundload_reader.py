"""Reading a line with care: the order of the checks, and what is kept of an unreadable line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sk_fundload.domain import (
    INPUT_PARSE_ERROR,
    INVALID_AMOUNT_FORMAT,
    INVALID_ID_FORMAT,
    INVALID_TIMESTAMP,
    MAX_LINE_BYTES,
    Reading,
    parse_instant,
    read_line,
)
from sk_fundload.generator import _dirt

GOOD = {
    "id": "15887",
    "customer_id": "528",
    "load_amount": "$3318.47",
    "time": "2000-01-01T00:00:00Z",
}


def line(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_a_good_line_is_read() -> None:
    instant = parse_instant("2000-01-01T00:00:00Z")
    assert instant is not None
    assert read_line(line()) == Reading("15887", "528", 331_847, instant)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None, "customer_id": "x", "time": "x", "load_amount": "x"}, INPUT_PARSE_ERROR),
        ({"id": "x", "customer_id": "x", "time": 0, "load_amount": "x"}, INPUT_PARSE_ERROR),
        ({"id": "x", "customer_id": "x", "time": "x", "load_amount": 1}, INPUT_PARSE_ERROR),
        ({"id": "x", "time": "x", "load_amount": "x"}, INVALID_ID_FORMAT),
        ({"customer_id": "x", "time": "x", "load_amount": "x"}, INVALID_ID_FORMAT),
        ({"time": "x", "load_amount": "x"}, INVALID_TIMESTAMP),
        ({"load_amount": "x"}, INVALID_AMOUNT_FORMAT),
    ],
)
def test_the_first_failing_check_names_the_reason(changes: dict[str, Any], reason: str) -> None:
    assert read_line(line(**changes)).reason == reason


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"load_amount": "x"}, ("15887", "528")),
        ({"id": "x"}, ("", "528")),
        ({"customer_id": "x"}, ("15887", "")),
        ({"id": True}, ("", "528")),
        ({"id": 1.0, "customer_id": "x"}, ("", "")),
        ({"customer_id": [], "time": None}, ("15887", "")),
        ({"id": " 007 ", "customer_id": 12, "time": 0}, ("007", "12")),
    ],
)
def test_of_an_unreadable_line_each_valid_id_is_kept(
    changes: dict[str, Any], kept: tuple[str, str]
) -> None:
    read = read_line(line(**changes))
    assert read.reason
    assert (read.id, read.customer_id) == kept
    assert (read.cents, read.instant) == (0, 0)


@pytest.mark.parametrize("name", list(GOOD))
def test_a_missing_field_is_a_parse_error(name: str) -> None:
    fields = {key: value for key, value in GOOD.items() if key != name}
    assert read_line(json.dumps(fields).encode()).reason == INPUT_PARSE_ERROR


def test_an_integer_id_keeps_all_its_digits() -> None:
    number = 10**39 + 7
    assert read_line(line(id=number, customer_id=0)).id == str(number)
    assert read_line(line(id=10**40)).reason == INVALID_ID_FORMAT


@pytest.mark.parametrize("number", [b"-0", b"-1", b"1" * 41, b"1" * 5_000])
def test_an_integer_that_is_no_id_is_badly_formed_rather_than_no_json(number: bytes) -> None:
    data = line(id=77).replace(b" 77,", b" " + number + b",")
    assert read_line(data) == Reading("", "528", reason=INVALID_ID_FORMAT)


@pytest.mark.parametrize("number", [b"1.0", b"1e0", b"1E400", b"-0.0"])
def test_a_number_that_is_no_integer_is_a_parse_error(number: bytes) -> None:
    data = line(id=77).replace(b" 77,", b" " + number + b",")
    assert read_line(data) == Reading("", "528", reason=INPUT_PARSE_ERROR)


def test_of_a_key_given_twice_the_last_counts() -> None:
    again = b',"id":"2","load_amount":"$1.00"}'
    read = read_line(b'{"id":null,' + line()[1:-1] + again)
    assert (read.id, read.cents, read.reason) == ("2", 100, "")


def test_a_line_of_a_megabyte_is_read_and_a_byte_more_is_not() -> None:
    just, over = _dirt.longest_lines("77")
    assert (len(just), len(over)) == (MAX_LINE_BYTES, MAX_LINE_BYTES + 1)
    assert read_line(just).reason == ""
    assert read_line(over) == Reading(reason=INPUT_PARSE_ERROR)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (_dirt._NOT_JSON, INPUT_PARSE_ERROR),
        (_dirt._NOT_STRICT, INPUT_PARSE_ERROR),
        (_dirt._WRONG_TYPES, INPUT_PARSE_ERROR),
        (_dirt._IDS, INVALID_ID_FORMAT),
        (_dirt._TIMES, INVALID_TIMESTAMP),
        (_dirt._AMOUNTS, INVALID_AMOUNT_FORMAT),
    ],
)
def test_every_unreadable_line_of_the_generator_has_its_reason(
    lines: tuple[bytes, ...], reason: str
) -> None:
    assert [data for data in lines if read_line(data).reason != reason] == []


def test_what_json_nests_or_writes_twice_leaves_no_ids_when_it_is_no_json() -> None:
    for data in (line() + b"x", b"[" * 100_000, line()[:-1], b"\xff" + line()):
        assert read_line(data) == Reading(reason=INPUT_PARSE_ERROR)
