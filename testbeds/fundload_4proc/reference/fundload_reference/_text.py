"""What white space and digits are here: less than what Python's own methods take them for."""

from __future__ import annotations

WHITE_SPACE = " \t\r\n"
_DIGITS = "0123456789"


def trim(text: str) -> str:
    """Drop white space at both ends."""
    return text.strip(WHITE_SPACE)


def all_digits(text: str) -> bool:
    """Say whether there is at least one character, and each is an ASCII digit."""
    return text != "" and all(char in _DIGITS for char in text)
