"""Checks of message fields, called by every constructor, before sending and after receiving.

Each takes the names of the message and the field, for the `InvalidFieldError` that it raises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, cast

from sk_control.errors import InvalidFieldError

NAME_LIMIT: Final = 256
TEXT_LIMIT: Final = 4096
UINT32_MAX: Final = 2**32 - 1
UINT64_MAX: Final = 2**64 - 1
INT64_MAX: Final = 2**63 - 1
SECONDS_MAX: Final = 10**9
BUCKETS_MAX: Final = 64


def name(message: str, field: str, value: object) -> None:
    """Accept a str of 1 to 256 characters that can be encoded as UTF-8."""
    if not (isinstance(value, str) and 0 < len(value) <= NAME_LIMIT and _is_utf8(value)):
        raise InvalidFieldError(message, field, f"1 to {NAME_LIMIT} characters")


def text(message: str, field: str, value: object) -> None:
    """Accept a str of at most 4096 characters that can be encoded as UTF-8."""
    if not (isinstance(value, str) and len(value) <= TEXT_LIMIT and _is_utf8(value)):
        raise InvalidFieldError(message, field, f"at most {TEXT_LIMIT} characters")


def cut(value: object) -> object:
    """Make a text valid: cut it to 4096 characters, replace those that UTF-8 cannot encode.

    This is for reports that must not be rejected. Other objects are returned unchanged.
    """
    if not isinstance(value, str):
        return value
    return value[:TEXT_LIMIT].encode(errors="replace").decode()


def texts(message: str, field: str, values: object) -> None:
    """Accept a tuple of non-empty texts."""
    if not isinstance(values, tuple):
        raise InvalidFieldError(message, field, "a tuple of str")
    for value in values:
        text(message, field, value)
        if not value:
            raise InvalidFieldError(message, field, "no empty text")


def integer(message: str, field: str, value: object, low: int = 0, high: int = UINT64_MAX) -> None:
    """Accept an int, not a bool, from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidFieldError(message, field, f"an integer from {low} to {high}")


def versions(message: str, field: str, values: object) -> None:
    """Accept protocol versions: a tuple of 1 to 16 positive 32-bit integers."""
    if not (isinstance(values, tuple) and 0 < len(values) <= 16):
        raise InvalidFieldError(message, field, "a tuple of 1 to 16 integers")
    for value in values:
        integer(message, field, value, 1, UINT32_MAX)


def seconds(message: str, field: str, value: object) -> None:
    """Accept a period or time limit: a number of seconds above 0, at most 10**9."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidFieldError(message, field, "a number of seconds")
    if not 0 < value <= SECONDS_MAX:
        raise InvalidFieldError(message, field, f"more than 0 and at most {SECONDS_MAX} seconds")


def duration(message: str, field: str, value: object) -> None:
    """Accept a measured time: a finite number of seconds, 0 or more."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and 0 <= cast("float", value) < math.inf):
        raise InvalidFieldError(message, field, "0 or more seconds")


def buckets(message: str, field: str, values: object) -> None:
    """Accept a tuple of at most 64 counts, one for each bucket of a histogram."""
    if not isinstance(values, tuple) or len(values) > BUCKETS_MAX:
        raise InvalidFieldError(message, field, f"a tuple of at most {BUCKETS_MAX} counts")
    for value in values:
        integer(message, field, value)


def flag(message: str, field: str, value: object) -> None:
    """Accept a bool."""
    if not isinstance(value, bool):
        raise InvalidFieldError(message, field, "true or false")


def binary(message: str, field: str, value: object) -> None:
    """Accept bytes."""
    if not isinstance(value, bytes):
        raise InvalidFieldError(message, field, "bytes")


def unsigned_counts(message: str, field: str, values: object) -> None:
    """Accept a mapping of name to unsigned 64-bit integer."""
    if not isinstance(values, Mapping):
        raise InvalidFieldError(message, field, "a mapping of name to integer")
    for key, value in values.items():
        name(message, field, key)
        integer(message, field, value)


def signed_counts(message: str, field: str, values: object) -> None:
    """Accept a mapping of name to signed 64-bit integer."""
    if not isinstance(values, Mapping):
        raise InvalidFieldError(message, field, "a mapping of name to integer")
    for key, value in values.items():
        name(message, field, key)
        integer(message, field, value, -INT64_MAX - 1, INT64_MAX)


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
