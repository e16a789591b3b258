"""The rules of fund load as plain functions and values: no framework, no input or output."""

from __future__ import annotations

from sk_fundload.domain._digits import LEADING_ZERO, read_digits
from sk_fundload.domain._ids import parse_id
from sk_fundload.domain._money import MAX_CENTS, parse_cents
from sk_fundload.domain._primes import PrimeIds, is_prime, is_prime_id
from sk_fundload.domain._reader import (
    MAX_LINE_BYTES,
    SHORT_LINE_BYTES,
    Reading,
    may_be_deep,
    read_line,
)
from sk_fundload.domain._reasons import (
    ALL_REASONS,
    DAILY_AMOUNT_LIMIT,
    DAILY_ATTEMPT_LIMIT,
    ID_DUPLICATE_CONFLICT,
    ID_DUPLICATE_REPLAY,
    INPUT_PARSE_ERROR,
    INVALID_AMOUNT_FORMAT,
    INVALID_ID_FORMAT,
    INVALID_TIMESTAMP,
    NONE,
    PRIME_AMOUNT_CAP,
    PRIME_DAILY_GLOBAL_LIMIT,
    TOO_LATE,
    UNREADABLE_REASONS,
    WEEKLY_AMOUNT_LIMIT,
)
from sk_fundload.domain._retention import RecentIds, RetentionDays, day_of
from sk_fundload.domain._strict_json import MAX_DEPTH
from sk_fundload.domain._text import WHITE_SPACE
from sk_fundload.domain._time import (
    DAY,
    InstantReader,
    Weekday,
    parse_instant,
    week_start,
    weekday_index,
)
from sk_fundload.domain._windows import DAY_SUMS, NO_WEEK, WEEK_SUM, WeekWindow

__all__ = [
    "ALL_REASONS",
    "DAILY_AMOUNT_LIMIT",
    "DAILY_ATTEMPT_LIMIT",
    "DAY",
    "DAY_SUMS",
    "ID_DUPLICATE_CONFLICT",
    "ID_DUPLICATE_REPLAY",
    "INPUT_PARSE_ERROR",
    "INVALID_AMOUNT_FORMAT",
    "INVALID_ID_FORMAT",
    "INVALID_TIMESTAMP",
    "LEADING_ZERO",
    "MAX_CENTS",
    "MAX_DEPTH",
    "MAX_LINE_BYTES",
    "NONE",
    "NO_WEEK",
    "PRIME_AMOUNT_CAP",
    "PRIME_DAILY_GLOBAL_LIMIT",
    "SHORT_LINE_BYTES",
    "TOO_LATE",
    "UNREADABLE_REASONS",
    "WEEKLY_AMOUNT_LIMIT",
    "WEEK_SUM",
    "WHITE_SPACE",
    "InstantReader",
    "PrimeIds",
    "Reading",
    "RecentIds",
    "RetentionDays",
    "WeekWindow",
    "Weekday",
    "day_of",
    "is_prime",
    "is_prime_id",
    "may_be_deep",
    "parse_cents",
    "parse_id",
    "parse_instant",
    "read_digits",
    "read_line",
    "week_start",
    "weekday_index",
]
