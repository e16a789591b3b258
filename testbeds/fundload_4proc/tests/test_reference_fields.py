"""Reading a line: each field's forms, and which check names the reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from fundload_reference import Attempt, Reason, Unreadable, day_of, parse_instant, read_attempt
from hypothesis import given
from hypothesis import strategies as st
from reference_bench import load, outcomes, reason, shown_ids, without

PARSE = Reason.INPUT_PARSE_ERROR
FORMAT = Reason.INVALID_ID_FORMAT
TIME = Reason.INVALID_TIMESTAMP
AMOUNT = Reason.INVALID_AMOUNT_FORMAT


def raw(id_token: str) -> bytes:
    """A good line whose id is this JSON token."""
    return load(id="ID").replace(b'"ID"', id_token.encode())


# ---- ids


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ('"7"', "7"),
        ('"007"', "007"),
        ('" \\t\\r\\n7 "', "7"),
        ("7", "7"),
        ("0", "0"),
        ('"0"', "0"),
        (f'"{"9" * 40}"', "9" * 40),
        ("9" * 40, "9" * 40),
        ("18446744073709551616", "18446744073709551616"),
        ('"\\u0037"', "7"),
    ],
)
def test_an_id_is_kept_as_text(token: str, text: str) -> None:
    attempt = read_attempt(raw(token))
    assert isinstance(attempt, Attempt)
    assert attempt.id == text


BAD_IDS = [
    '""', '" "', '"abc"', '"1a"', '"1 2"', '"-5"', '"+5"', '"1.0"', '"1e3"', '"0x1"', '"1_0"',
    '"\\u00a07"', '"7\\u000b"', '"\u0663"', '"\uff17"', '"\u00b2"', '"7\\u0000"',
    f'"{"1" * 41}"', "1" * 41, pytest.param("1" * 5000, id="5000 digits"), "-5", "-0",
]  # fmt: skip


@pytest.mark.parametrize("token", BAD_IDS)
def test_a_string_or_integer_of_another_form_is_an_invalid_id(token: str) -> None:
    assert read_attempt(raw(token)) == Unreadable(FORMAT, "", "1")


@pytest.mark.parametrize(
    "token", ["1.0", "1e3", "-0.0", "1E0", "true", "false", "null", "[]", "{}", '["1"]']
)
def test_an_id_of_another_type_is_a_parse_error_and_not_shown(token: str) -> None:
    assert read_attempt(raw(token)) == Unreadable(PARSE, "", "1")


@pytest.mark.parametrize("key", ["id", "customer"])
@pytest.mark.parametrize("value", ["x", "", 1.5, True, None])
def test_one_id_that_is_unreadable_does_not_hide_the_other(key: str, value: object) -> None:
    fields: dict[str, object] = {"id": "7", "customer": "8", key: value}
    shown = shown_ids(load(**fields))
    assert shown == (("", "8") if key == "id" else ("7", ""))


def test_the_customer_is_read_as_the_id_is() -> None:
    attempt = read_attempt(load(customer=" 007\n"))
    assert isinstance(attempt, Attempt)
    assert attempt.customer_id == "007"


# ---- amounts


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1.00", 100),
        ("$1.00", 100),
        ("USD1.00", 100),
        ("USD$1.00", 100),
        ("$USD1.00", 100),
        (" \t\r\n$1.00 \n", 100),
        ("$0.00", 0),
        ("$0.01", 1),
        ("$007.09", 709),
        ("$999999999999999.99", 99_999_999_999_999_999),
        ("$000000000000001.00", 100),
    ],
)
def test_an_amount_is_exact_cents(text: str, cents: int) -> None:
    attempt = read_attempt(load(amount=text))
    assert isinstance(attempt, Attempt)
    assert attempt.cents == cents


BAD_AMOUNTS = [
    "", "$", "USD", "1", "$1", "$1.", "$1.0", "$1.000", "$.50", ".50", "$1,000.00", "$-1.00",
    "-$1.00", "-1.00", "+1.00", "$+1.00", "$ 1.00", "USD 1.00", "$$1.00", "USDUSD1.00",
    "usd1.00", "$USD$1.00", "USD$USD1.00", "Usd1.00", "EUR1.00", "€1.00", "1.00USD", "1.00$",
    "1 000.00", "$1e2.00", "$1.0e", "$1_0.00", "$1.00.00", "$1..00", "NaN", "$0x1.00",
    "$1000000000000000.00", "$0000000000000001.00", "$\u0661.00", "$1.\u0660\u0660",
    "\u00a0$1.00", "$1,00", "$1.00\x00",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_AMOUNTS)
def test_another_form_is_an_invalid_amount(text: str) -> None:
    assert read_attempt(load(amount=text)) == Unreadable(AMOUNT, "1", "1")


# ---- times


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00"),
        ("2000-01-01t00:00:00z", "2000-01-01T00:00:00"),
        (" \t2000-01-01T00:00:00Z\r\n", "2000-01-01T00:00:00"),
        ("2000-01-01T00:00:00.5Z", "2000-01-01T00:00:00.500000"),
        ("2000-01-01T00:00:00.000001Z", "2000-01-01T00:00:00.000001"),
        ("2000-01-01T23:59:59.999999Z", "2000-01-01T23:59:59.999999"),
        ("2000-01-01T00:00:00+00:00", "2000-01-01T00:00:00"),
        ("2000-01-01T00:00:00-00:00", "2000-01-01T00:00:00"),
        ("2000-01-01T00:00:00+01:00", "1999-12-31T23:00:00"),
        ("1999-12-31T23:00:00-01:30", "2000-01-01T00:30:00"),
        ("2000-01-01T00:00:00+23:59", "1999-12-31T00:01:00"),
        ("2000-02-29T00:00:00-23:59", "2000-02-29T23:59:00"),
        ("2000-02-29T12:00:00-12:00", "2000-03-01T00:00:00"),
        ("1900-02-28T23:00:00-01:00", "1900-03-01T00:00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00"),
        ("0001-01-01T01:00:00+01:00", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999"),
        ("9999-12-31T22:59:59-01:00", "9999-12-31T23:59:59"),
    ],
)
def test_a_time_is_normalised_to_utc(text: str, utc: str) -> None:
    attempt = read_attempt(load(time=text))
    assert isinstance(attempt, Attempt)
    assert instant_as_datetime(attempt.instant) == datetime.fromisoformat(utc + "+00:00")


BAD_TIMES = [
    "9999-12-31T23:00:00-01:00", "0001-01-01T00:00:59.999999+00:01",
    "", "Z", "2000-01-01", "2000-01-01T00:00:00", "2000-01-01 00:00:00Z", "2000-01-01T00:00Z",
    "2000-01-01T00:00:00.Z", "2000-01-01T00:00:00.1234567Z", "2000-01-01T00:00:00,5Z",
    "2000-01-01T00:00:60Z", "2000-01-01T00:60:00Z", "2000-01-01T24:00:00Z", "20000101T000000Z",
    "2000-01-32T00:00:00Z", "2000-00-01T00:00:00Z", "2000-13-01T00:00:00Z",
    "2000-01-00T00:00:00Z", "2001-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
    "2000-02-30T00:00:00Z", "2000-04-31T00:00:00Z", "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "200-01-01T00:00:00Z",
    "2000-1-01T00:00:00Z", "2000-01-1T00:00:00Z", "2000-01-01T0:00:00Z",
    "+2000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    "0000-12-31T23:59:59-01:00", "2000-01-01T00:00:00+1:00", "2000-01-01T00:00:00+0100",
    "2000-01-01T00:00:00+01", "2000-01-01T00:00:00+24:00", "2000-01-01T00:00:00+00:60",
    "2000-01-01T00:00:00\u221201:00", "2000-01-01T00:00:00+01:00:00", "2000-01-01T00:00:00ZZ",
    "2000-01-01T00:00:00Z+01:00", "2000-01-01T00:00:00 Z", "2000-01-01T00:00:00UTC",
    "2000-01-01T00:00:00[Europe/Paris]", "2000-01-0\u0661T00:00:00Z",
    "2000-01-01T00:00:00.\u0661Z", "\u00a02000-01-01T00:00:00Z", "2000/01/01T00:00:00Z",
    "2000-01-01T00-00-00Z", "2000-W01-1T00:00:00Z", "2000-001T00:00:00Z", "now", "946684800",
    "2000-01-01T+1:00:00Z", "2000-01-01T00:00:0_Z", "2000-01-01T00:00:-1Z",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_TIMES)
def test_another_form_is_an_invalid_time(text: str) -> None:
    assert read_attempt(load(time=text)) == Unreadable(TIME, "1", "1")


# A day from the ends of the calendar, where the local date could have no four digits.
INSTANTS = st.datetimes(
    datetime(1, 1, 2), datetime(9999, 12, 30, 23, 59, 59, 999999), timezones=st.just(UTC)
)


@given(INSTANTS, st.integers(-1439, 1439))
def test_instants_agree_with_another_calendar(moment: datetime, offset_minutes: int) -> None:
    local = moment.replace(tzinfo=None) + timedelta(minutes=offset_minutes)
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    text = f"{local.isoformat(timespec='microseconds')}{sign}{hours:02}:{minutes:02}"
    instant = parse_instant(text)
    assert instant is not None
    assert instant_as_datetime(instant) == moment


def test_every_first_of_march_of_the_calendar_has_its_day() -> None:
    for year in range(1, 10_000):
        instant = parse_instant(f"{year:04}-03-01T00:00:00Z")
        assert instant is not None
        assert day_of(instant) == datetime(year, 3, 1).toordinal() - 1


def instant_as_datetime(instant: int) -> datetime:
    return datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)


# ---- the line as a whole


@pytest.mark.parametrize(
    "line", [b"x", b"[]", b'"x"', b"1", b"null", b"true", b"[" + load() + b"]", load()[:-1]]
)
def test_a_line_that_is_no_object_shows_no_ids(line: bytes) -> None:
    assert read_attempt(line) == Unreadable(PARSE, "", "")


@pytest.mark.parametrize("key", ["id", "customer_id", "load_amount", "time"])
def test_a_missing_key_is_a_parse_error(key: str) -> None:
    shown = {"id": ("", "1"), "customer_id": ("1", "")}.get(key, ("1", "1"))
    assert read_attempt(without(key)) == Unreadable(PARSE, *shown)


@pytest.mark.parametrize("key", ["amount", "time"])
@pytest.mark.parametrize("value", [1, 1.5, None, True, [], {}, ["$1.00"]])
def test_amount_and_time_of_another_type_are_parse_errors(key: str, value: object) -> None:
    fields: dict[str, object] = {key: value}
    assert read_attempt(load(**fields)) == Unreadable(PARSE, "1", "1")


def test_an_empty_object_is_a_parse_error() -> None:
    assert read_attempt(b"{}") == Unreadable(PARSE, "", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (load(id="x", amount=1, time="x"), Unreadable(PARSE, "", "1")),
        (load(id="x", customer="y", amount="x", time=None), Unreadable(PARSE, "", "")),
        (load(id=1.5, customer="y", amount="x", time="x"), Unreadable(PARSE, "", "")),
        (load(id="x", customer="y", amount="x", time="x"), Unreadable(FORMAT, "", "")),
        (load(customer="y", amount="x", time="x"), Unreadable(FORMAT, "1", "")),
        (load(id="x", amount="x", time="x"), Unreadable(FORMAT, "", "1")),
        (load(amount="x", time="x"), Unreadable(TIME, "1", "1")),
        (load(amount="x"), Unreadable(AMOUNT, "1", "1")),
    ],
)
def test_the_first_failing_check_names_the_reason(line: bytes, expected: Unreadable) -> None:
    assert read_attempt(line) == expected


def test_other_keys_are_ignored_whatever_they_hold() -> None:
    assert reason(load(ID="x", note={"id": [None]}, Time=0)) is None
    assert (
        reason(load()[:-1] + b', "big": 1e999, "deep": ' + b"[" * 511 + b"]" * 511 + b"}") is None
    )


def test_a_fault_in_an_ignored_key_is_a_fault_of_the_line() -> None:
    assert read_attempt(load()[:-1] + b', "x": NaN}') == Unreadable(PARSE)
    assert read_attempt(load()[:-1] + b', "x": "\\ud800"}') == Unreadable(PARSE)
    assert read_attempt(load()[:-1] + b', "\\udc00": 1}') == Unreadable(PARSE)
    assert read_attempt(load()[:-1] + b', "x": "\xff"}') == Unreadable(PARSE)
    assert read_attempt(load()[:-1] + b', "x": ' + b"[" * 1000 + b"]" * 1000 + b"}") == Unreadable(
        PARSE
    )


def test_keys_are_told_apart_by_case_and_white_space() -> None:
    assert reason(load().replace(b'"id"', b'"Id"')) is PARSE
    assert reason(load().replace(b'"id"', b'"id "')) is PARSE


def test_a_key_may_be_written_with_escapes() -> None:
    assert reason(load().replace(b'"id"', b'"\\u0069\\u0064"')) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (load()[:-1] + b', "id": "2"}', ("2", None)),
        (load(id=None)[:-1] + b', "id": "2"}', ("2", None)),
        (load()[:-1] + b', "id": null}', ("", PARSE)),
        (load()[:-1] + b', "id": "x"}', ("", FORMAT)),
        (load()[:-1] + b', "\\u0069d": "2"}', ("2", None)),
    ],
)
def test_of_a_key_given_twice_the_last_counts(line: bytes, expected: tuple[str, Reason]) -> None:
    (outcome,) = outcomes(line)
    assert (json.loads(outcome.output)["id"], outcome.reason) == expected
