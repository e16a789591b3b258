"""Amounts: text to integer cents."""

from __future__ import annotations

from fundload_reference._text import all_digits

_PREFIXES = ("USD$", "$USD", "USD", "$")  # a longer one before those that it begins with


def parse_cents(text: str) -> int | None:
    """Give the cents that trimmed `text` names, or None if it is no amount."""
    for prefix in _PREFIXES:
        if text.startswith(prefix):
            text = text[len(prefix) :]
            break
    whole, point, cents = text.partition(".")
    if point == "" or not all_digits(whole) or not all_digits(cents):
        return None
    if len(whole) > 15 or len(cents) != 2:
        return None
    return int(whole) * 100 + int(cents)
