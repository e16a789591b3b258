"""RFC 3339 instants, by arithmetic on the Gregorian calendar.

An instant is the number of microseconds since 0001-01-01T00:00:00Z, which was a Monday.
"""

from __future__ import annotations

from fundload_reference._text import all_digits

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
DAY = 24 * _HOUR
_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parse_instant(text: str) -> int | None:
    """Give the instant that `text` names, or None if it names none in the years 1 to 9999 UTC."""
    day = _parse_date(text[:10])
    clock = _parse_clock(text[11:19])
    if day is None or clock is None or text[10] not in "Tt":
        return None
    fraction, zone = _split_fraction(text[19:])
    micros = _parse_fraction(fraction)
    offset = _parse_zone(zone)
    if micros is None or offset is None:
        return None
    instant = day * DAY + clock + micros - offset
    return instant if 0 <= instant < _days_before_year(10_000) * DAY else None


def day_of(instant: int) -> int:
    """Give the UTC day, counted from 0001-01-01 as 0."""
    return instant // DAY


def is_monday(instant: int) -> bool:
    """Say whether the UTC weekday is Monday: day 0 was one."""
    return day_of(instant) % 7 == 0


def week_of(instant: int) -> int:
    """Give the week from Monday to Sunday, counted from that of day 0."""
    return day_of(instant) // 7


def _parse_date(text: str) -> int | None:
    year, month, day = text[0:4], text[5:7], text[8:10]
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not all_digits(year + month + day):
        return None
    return _day_number(int(year), int(month), int(day))


def _day_number(year: int, month: int, day: int) -> int | None:
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= _days_in_month(year, month):
        return None
    before_month = sum(_days_in_month(year, earlier) for earlier in range(1, month))
    return _days_before_year(year) + before_month + day - 1


def _days_in_month(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap and month == 2 else _DAYS_IN_MONTH[month - 1]


def _days_before_year(year: int) -> int:
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400


def _parse_clock(text: str) -> int | None:
    if len(text) != 8 or text[5] != ":" or not all_digits(text[6:8]):
        return None
    minutes = _parse_hours_and_minutes(text[:5])
    seconds = int(text[6:8])
    return None if minutes is None or seconds > 59 else minutes + seconds * _SECOND


def _parse_hours_and_minutes(text: str) -> int | None:
    hours, minutes = text[0:2], text[3:5]
    if len(text) != 5 or text[2] != ":" or not all_digits(hours + minutes):
        return None
    if int(hours) > 23 or int(minutes) > 59:
        return None
    return int(hours) * _HOUR + int(minutes) * _MINUTE


def _split_fraction(rest: str) -> tuple[str, str]:
    """Part what follows the seconds into `.ddd` (or nothing) and the zone."""
    end = 0
    if rest.startswith("."):
        end = 1
        while end < len(rest) and all_digits(rest[end]):
            end += 1
    return rest[:end], rest[end:]


def _parse_fraction(text: str) -> int | None:
    if text == "":
        return 0
    digits = text[1:]
    return int(digits.ljust(6, "0")) if 1 <= len(digits) <= 6 else None


def _parse_zone(text: str) -> int | None:
    if text in ("Z", "z"):
        return 0
    offset = _parse_hours_and_minutes(text[1:])
    if offset is None or text[0] not in "+-":
        return None
    return offset if text[0] == "+" else -offset
