"""Fast conversion of digits to integers."""

from __future__ import annotations

from typing import Final

from msgspec import DecodeError
from msgspec.json import Decoder

LEADING_ZERO: Final = DecodeError
"""Raised by `read_digits` for a leading zero followed by more digits; ``int`` converts those."""

read_digits = Decoder(int).decode
"""Return the value of a string of ASCII digits (and nothing else) without leading zeros.

``int`` does the same but takes four times as long: 0.29 us for six digits with CPython 3.11.
"""
