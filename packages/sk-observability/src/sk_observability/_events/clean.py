"""Cleaning of an event's fields: only JSON scalars of bounded length, and no secrets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

Scalar = str | int | float | bool | None

MAX_TEXT_BYTES: Final = 2048
"""The longest text in a field, in bytes of UTF-8; a longer one is cut and ends in an ellipsis."""
_ELLIPSIS: Final = "\u2026"
_INTEGERS: Final = range(-(2**63), 2**64)
"""The integers that JSON parsers commonly support."""


def clean_fields(fields: Mapping[str, object]) -> dict[str, Scalar]:
    """Return the fields with every value that is no JSON scalar replaced by its type's name.

    The same goes for secrets (objects whose class or base class has `Secret` in its name), numbers
    that are not finite, and integers of more than 64 bits. Lone surrogates, which UTF-8 cannot
    encode, are escaped.
    """
    return {_clean_text(key): _clean_value(value) for key, value in fields.items()}


def _clean_value(value: object) -> Scalar:
    kind = type(value)
    if any("Secret" in base.__name__ for base in kind.__mro__):
        return kind.__name__
    # A subclass (an enum, say) is converted to the plain value by the base class's own method: the
    # subclass may override it arbitrarily.
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
    # A text has at least as many bytes as characters: cut it first, so that little is encoded.
    raw = text[: MAX_TEXT_BYTES + 1].encode("utf-8", "backslashreplace")
    if len(raw) > MAX_TEXT_BYTES:
        room = MAX_TEXT_BYTES - len(_ELLIPSIS.encode())
        return raw[:room].decode("utf-8", "ignore") + _ELLIPSIS
    return raw.decode("utf-8")
