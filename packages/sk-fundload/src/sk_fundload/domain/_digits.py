"""Digits to integers, in a hurry."""

from __future__ import annotations

from typing import Final

from msgspec import DecodeError
from msgspec.json import Decoder

LEADING_ZERO: Final = DecodeError
"""What `read_digits` raises where there is one, and more digits behind it: ``int`` reads those."""

read_digits = Decoder(int).decode
"""Give the value of ASCII digits (and nothing else) without leading zeros.

As ``int`` does, which takes four times as long: 0.29 us for six digits with CPython 3.11.
"""
