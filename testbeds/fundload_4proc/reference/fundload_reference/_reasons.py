"""Why an attempt is declined: the codes of the specification, in the order they are tried."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The single reason of a declined line; four for unreadable lines, then those of the rules."""

    INPUT_PARSE_ERROR = "INPUT_PARSE_ERROR"
    INVALID_ID_FORMAT = "INVALID_ID_FORMAT"
    INVALID_TIMESTAMP = "INVALID_TIMESTAMP"
    INVALID_AMOUNT_FORMAT = "INVALID_AMOUNT_FORMAT"
    ID_DUPLICATE_REPLAY = "ID_DUPLICATE_REPLAY"
    ID_DUPLICATE_CONFLICT = "ID_DUPLICATE_CONFLICT"
    DAILY_ATTEMPT_LIMIT = "DAILY_ATTEMPT_LIMIT"
    PRIME_AMOUNT_CAP = "PRIME_AMOUNT_CAP"
    PRIME_DAILY_GLOBAL_LIMIT = "PRIME_DAILY_GLOBAL_LIMIT"
    DAILY_AMOUNT_LIMIT = "DAILY_AMOUNT_LIMIT"
    WEEKLY_AMOUNT_LIMIT = "WEEKLY_AMOUNT_LIMIT"
