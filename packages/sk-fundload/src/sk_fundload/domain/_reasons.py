"""The reasons for declining an attempt, named as in the counters and the rejects file."""

from __future__ import annotations

from typing import Final

NONE: Final = ""
"""The reason of an accepted attempt."""

INPUT_PARSE_ERROR: Final = "INPUT_PARSE_ERROR"
INVALID_ID_FORMAT: Final = "INVALID_ID_FORMAT"
INVALID_TIMESTAMP: Final = "INVALID_TIMESTAMP"
INVALID_AMOUNT_FORMAT: Final = "INVALID_AMOUNT_FORMAT"

TOO_LATE: Final = "TOO_LATE"
"""Only with a retention: the day is more than that many days before the newest one."""

ID_DUPLICATE_REPLAY: Final = "ID_DUPLICATE_REPLAY"
ID_DUPLICATE_CONFLICT: Final = "ID_DUPLICATE_CONFLICT"
DAILY_ATTEMPT_LIMIT: Final = "DAILY_ATTEMPT_LIMIT"
PRIME_AMOUNT_CAP: Final = "PRIME_AMOUNT_CAP"
PRIME_DAILY_GLOBAL_LIMIT: Final = "PRIME_DAILY_GLOBAL_LIMIT"
DAILY_AMOUNT_LIMIT: Final = "DAILY_AMOUNT_LIMIT"
WEEKLY_AMOUNT_LIMIT: Final = "WEEKLY_AMOUNT_LIMIT"

UNREADABLE_REASONS: Final = (
    INPUT_PARSE_ERROR,
    INVALID_ID_FORMAT,
    INVALID_TIMESTAMP,
    INVALID_AMOUNT_FORMAT,
)
"""The reasons for unreadable lines, in the order in which they are checked."""

ALL_REASONS: Final = (
    *UNREADABLE_REASONS,
    TOO_LATE,
    ID_DUPLICATE_REPLAY,
    ID_DUPLICATE_CONFLICT,
    DAILY_ATTEMPT_LIMIT,
    PRIME_AMOUNT_CAP,
    PRIME_DAILY_GLOBAL_LIMIT,
    DAILY_AMOUNT_LIMIT,
    WEEKLY_AMOUNT_LIMIT,
)
"""Every reason, in the order of the checks; the first failing check determines the reason."""
