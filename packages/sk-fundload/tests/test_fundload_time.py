"""Instants, days and weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_fundload.domain import DAY, InstantReader, parse_instant, week_start, weekday_index
from sk_fundload.messages import LoadAttempt
from sk_fundload.nodes import ComputeTimeKeys, TimeKeySettings

EPOCH = datetime(1, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CLOCKS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29))
ZONES = st.integers(-1_439, 1_439).map(lambda m: timezone(timedelta(minutes=m)))


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


@given(CLOCKS, ZONES)
def test_an_instant_is_what_datetime_says(clock: datetime, zone: timezone) -> None:
    moment = clock.replace(tzinfo=zone)
    assert parse_instant(moment.isoformat()) == micros(moment)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2000-01-01t00:00:00z", "2000-01-01T00:00:00Z"),
        ("2000-01-01T00:00:00+00:00", "2000-01-01T00:00:00Z"),
        ("2000-01-01T00:00:00-00:00", "2000-01-01T00:00:00Z"),
        ("2000-01-01T00:30:00+01:00", "1999-12-31T23:30:00Z"),
        ("1999-12-31T00:01:00-23:59", "2000-01-01T00:00:00Z"),
        ("2000-01-01T00:00:00.5Z", "2000-01-01T00:00:00.500000Z"),
        (" \t2000-01-01T00:00:00Z\r\n", "2000-01-01T00:00:00Z"),
    ],
)
def test_two_ways_to_write_one_instant(text: str, same: str) -> None:
    assert parse_instant(text) == parse_instant(same) is not None


def test_the_calendar_s_first_and_last_instants_are_read() -> None:
    last = date.max.toordinal() * DAY - 1
    assert parse_instant("0001-01-01T00:00:00Z") == 0
    assert parse_instant("0001-01-01T23:59:00+23:59") == 0
    assert parse_instant("9999-12-31T23:59:59.999999Z") == last
    assert parse_instant("9999-12-31T00:00:59.999999-23:59") == last


@pytest.mark.parametrize(
    "text",
    [
        *("", "2000-01-01", "2000-01-01T00:00:00", "2000-01-01 00:00:00Z", "2000-01-01T24:00:00Z"),
        *("2000-01-01T23:59:60Z", "2000-01-01T23:60:00Z", "2000-13-01T00:00:00Z"),
        *("2001-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0000-12-31T23:00:00-02:00"),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:00-00:01", "2000-01-01T00:00:00+24:00"),
        *("2000-01-01T00:00:00.1234567Z", "2000-01-01T00:00:00.Z", "2000-01-01T00:00:00,5Z"),
        *("2000-01-01T00:00:00+01:60", "2000-01-01T00:00:00+0100", "2000-01-01T00:00:00 Z"),
        *("\u0662000-01-01T00:00:00Z", "2000-01-01T00:00:\uff10\uff10Z", "2000-1-1T00:00:00Z"),
        *("2000-01-01T00:00:00Z\n0", "\u00a02000-01-01T00:00:00Z", "2000-01-01T00:00:00Z\x0b"),
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    assert parse_instant(text) is None


@given(CLOCKS, ZONES, st.integers(0, 2))
def test_a_reader_gives_the_same_with_and_without_memory(
    clock: datetime, zone: timezone, times: int
) -> None:
    reader = InstantReader()
    text = clock.replace(tzinfo=zone).isoformat()
    assert {reader.read(text) for _ in range(times + 1)} == {parse_instant(text)}


@given(CLOCKS, CLOCKS, ZONES, ZONES)
def test_remembered_halves_add_up_to_the_instant(
    first: datetime, second: datetime, zone: timezone, other: timezone
) -> None:
    reader = InstantReader()
    texts = [
        first.replace(tzinfo=zone, microsecond=0).isoformat(),
        second.replace(tzinfo=other, microsecond=0).isoformat(),
    ]
    for text in texts:
        reader.read(text)
    for head in texts:
        for tail in texts:
            mixed = head[reader.HEAD] + tail[reader.TAIL]
            total = reader.hours[head[reader.HEAD]] + reader.rests[tail[reader.TAIL]]
            assert total == parse_instant(mixed)


def test_no_memory_leads_out_of_the_calendar() -> None:
    reader = InstantReader()
    for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:00:00Z", "2000-01-01T00:00:00+00:01"):
        assert reader.read(text) is not None
    assert set(reader.hours) == {"2000-01-01T00"}


def test_a_reader_remembers_so_many_rests_at_most() -> None:
    reader = InstantReader()
    for zone in range(24):
        for second in range(0, 3_600, 2):
            rest = f":{second // 60:02d}:{second % 60:02d}+{zone:02d}:00"
            reader.read(f"2000-01-01T00{rest}")
    assert 0 < len(reader.rests) <= reader.MOST_RESTS < 24 * 1_800


def test_a_reader_remembers_so_many_hours_at_most() -> None:
    reader = InstantReader()
    first, hours = datetime(2000, 1, 1), 24 * 365
    for number in range(hours):
        reader.read(f"{first + timedelta(hours=number):%Y-%m-%dT%H}:00:00Z")
    assert 0 < len(reader.hours) <= reader.MOST_HOURS < hours


@pytest.mark.parametrize(
    ("text", "hours", "rests"),
    [
        ("never", 0, 0),
        ("2000-01-01T00:00:00", 1, 0),
        ("2000-02-30T00:00:00Z", 0, 1),
        ("0001-01-01T00:00:00+00:01", 0, 1),
        (" 2000-01-01T00:00:00Z", 0, 0),
        ("2000-01-01T00:00:00.5Z", 1, 0),
    ],
)
def test_only_halves_that_may_come_again_are_remembered(text: str, hours: int, rests: int) -> None:
    reader = InstantReader()
    assert reader.read(text) == parse_instant(text)
    assert (len(reader.hours), len(reader.rests)) == (hours, rests)


@given(
    st.lists(st.tuples(CLOCKS.map(date.toordinal), st.sampled_from((-1, 0, 1, DAY - 1)))),
    st.sampled_from(("monday", "sunday")),
)
def test_keys_are_of_the_attempt_s_own_day_whatever_day_was_before(
    places: list[tuple[int, int]], first: Literal["monday", "sunday"]
) -> None:
    keys = ComputeTimeKeys(TimeKeySettings(week_start=first))
    for ordinal, within in places:
        timed = keys(LoadAttempt("1", "2", 3, (ordinal - 1) * DAY + within))
        day = ordinal - (within < 0)
        assert (timed.day, timed.week) == (day, week_start(day, weekday_index(first)))


@given(st.dates(), st.integers(0, 6))
def test_a_week_begins_on_its_weekday_and_holds_seven_days(day: date, first: int) -> None:
    start = week_start(day.toordinal(), first)
    assert 0 <= day.toordinal() - start < 7
    assert (start - 1) % 7 == first


def test_weekdays_are_counted_from_monday() -> None:
    assert weekday_index("monday") == date(2000, 1, 3).weekday()
    assert weekday_index("sunday") == date(2000, 1, 2).weekday()
