"""Amounts of money: text to integer cents. No binary float ever holds one."""

from __future__ import annotations

import re
from typing import Final

from sk_fundload.domain._text import WHITE_SPACE

MAX_CENTS: Final = 10**17 - 1
"""The largest amount that can be written: 15 digits, a point, two digits."""

_AMOUNT = re.compile(r"(?:\$|USD\$?|\$USD)?([0-9]{1,15})\.([0-9]{2})")


def parse_cents(text: str) -> int | None:
    """Give the cents in ``text``, white space at its ends dropped; None when it is no amount.

    An optional ``$``, ``USD``, ``USD$`` or ``$USD``, then 1 to 15 digits, a point, two digits.
    """
    found = _AMOUNT.fullmatch(text.strip(WHITE_SPACE))
    return int(found[1] + found[2]) if found else None
