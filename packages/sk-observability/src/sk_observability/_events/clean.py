"""What may stand in an event's fields: scalars of JSON, of bounded length, and no secret."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

Scalar = str | int | float | bool | None

MAX_TEXT_BYTES: Final = 2048
"""The longest text in a field, in bytes of UTF-8; what is longer ends in an ellipsis."""
_ELLIPSIS: Final = "\u2026"
_INTEGERS: Final = range(-(2**63), 2**64)
"""The integers that readers of JSON commonly hold."""


def clean_fields(fields: Mapping[str, object]) -> dict[str, Scalar]:
    """Give the fields with every value that is no scalar of JSON replaced by its type's name.

    So are secrets (of a class that has `Secret` in its name or in a base's), numbers that are not
    finite, and integers of more than 64 bits. Lone surrogates, which UTF-8 has not, are escaped.
    """
    return {_clean_text(key): _clean_value(value) for key, value in fields.items()}


def _clean_value(value: object) -> Scalar:
    kind = type(value)
    if any("Secret" in base.__name__ for base in kind.__mro__):
        return kind.__name__
    # Of a subclass (an enum, say) the plain value goes out, by the base's own method: the
    # subclass's may do anything.
    match value:
        case None | bool():
            return value
        case str():
            return _clean_text(str.__str__(value))
        case int() if (plain := int.__index__(value)) in _INTEGERS:
            return plain
        case float() if math.isfinite(value):
            return float.__float__(value)
    return kind.__name__


def _clean_text(text: str) -> str:
    # A text has at least as many bytes as characters: what is far too long is not encoded whole.
    raw = text[: MAX_TEXT_BYTES + 1].encode("utf-8", "backslashreplace")
    if len(raw) > MAX_TEXT_BYTES:
        room = MAX_TEXT_BYTES - len(_ELLIPSIS.encode())
        return raw[:room].decode("utf-8", "ignore") + _ELLIPSIS
    return raw.decode("utf-8")
