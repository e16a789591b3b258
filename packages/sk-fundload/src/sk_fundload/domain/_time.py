"""Conversion of RFC 3339 text to instants, days and weeks, as integers.

An *instant* is microseconds since 0001-01-01T00:00:00Z. A *day* is the proleptic Gregorian ordinal
of the instant's UTC date (`datetime.date.toordinal`), so day 1 is 0001-01-01, a Monday. A *week* is
identified by its first day, which may be before day 1 for the first week.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal, get_args

from sk_fundload.domain._text import WHITE_SPACE

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
END_OF_TIME: Final = date.max.toordinal() * DAY
"""The first instant after year 9999."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_HOUR_LENGTH = 13
_HOUR = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([01][0-9]|2[0-3])")
_REST = re.compile(
    r":([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)


def weekday_index(name: Weekday) -> int:
    """Return the index of a weekday, from 0 for Monday to 6 for Sunday."""
    return get_args(Weekday).index(name)


def week_start(day: int, first_weekday: int) -> int:
    """Return the first day of the week of ``day``, if weeks begin on ``first_weekday``."""
    return day - (day - 1 - first_weekday) % 7


def parse_instant(text: str) -> int | None:
    """Return the instant of an RFC 3339 date and time with zone; None if the text is invalid.

    White space at the ends is ignored. The text has at most 6 fraction digits, seconds 00 to 59,
    and years 0001 to 9999, both as written and in UTC.
    """
    text = text.strip(WHITE_SPACE)
    start = _hour(text[:_HOUR_LENGTH])
    rest = _rest(text[_HOUR_LENGTH:])
    if start is None or rest is None:
        return None
    return _in_calendar(start + rest)


def _in_calendar(instant: int) -> int | None:
    return instant if 0 <= instant < END_OF_TIME else None


def _hour(text: str) -> int | None:
    """Return the instant of the hour in ``text`` (``2000-01-01T00``), read as UTC."""
    found = _HOUR.fullmatch(text)
    if not found:
        return None
    year, month, day, hour = map(int, found.groups())
    try:
        ordinal = date(year, month, day).toordinal()
    except ValueError:  # no such date, or year 0
        return None
    return (ordinal - 1) * DAY + hour * HOUR


def _rest(text: str) -> int | None:
    """Return the microseconds from that hour to the instant, by ``text`` (``:00:00.5+01:00``)."""
    found = _REST.fullmatch(text)
    if not found:
        return None
    minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    past = int(minute) * MINUTE + int(second) * SECOND
    if fraction:
        past += int(fraction.ljust(6, "0"))
    if sign:
        zone = int(zone_hours) * HOUR + int(zone_minutes) * MINUTE
        past += zone if sign == "-" else -zone
    return past


class InstantReader:
    """`parse_instant` with a cache for both halves of the text, which repeat in most streams.

    If ``hours`` has the text's ``HEAD`` and ``rests`` has its ``TAIL``, their sum is the instant: a
    caller may look there first, to be fast. Both caches are bounded: in a stream the tails repeat
    all the time, but only a few of the hours do. ``hours`` has no entry for the first and the last
    day of the calendar, where a zone can lead outside of the calendar.
    """

    __slots__ = ("hours", "rests")

    MOST_HOURS: Final = 1 << 12
    MOST_RESTS: Final = 1 << 15
    HEAD: Final = slice(None, _HOUR_LENGTH)
    TAIL: Final = slice(_HOUR_LENGTH, None)

    def __init__(self) -> None:
        self.hours: dict[str, int] = {}
        self.rests: dict[str, int] = {}

    def read(self, text: str) -> int | None:
        """Return the same as `parse_instant`, and cache both halves of the text."""
        head, tail = text[self.HEAD], text[self.TAIL]
        start, rest = self.hours.get(head), self.rests.get(tail)
        if start is None:
            start = self._new_hour(head)
        if rest is None:
            rest = self._new_rest(tail)
        if start is None or rest is None:  # white space at an end, or an invalid text
            return parse_instant(text)
        return _in_calendar(start + rest)

    def _new_hour(self, head: str) -> int | None:
        start = _hour(head)
        if start is not None and DAY <= start < END_OF_TIME - DAY:
            _remember(self.hours, head, start, self.MOST_HOURS)
        return start

    def _new_rest(self, tail: str) -> int | None:
        rest = _rest(tail)
        if rest is not None and "." not in tail:  # fractions hardly ever repeat
            _remember(self.rests, tail, rest, self.MOST_RESTS)
        return rest


def _remember(memory: dict[str, int], key: str, value: int, most: int) -> None:
    if len(memory) >= most:
        memory.clear()
    memory[key] = value
