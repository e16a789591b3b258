"""Parsing of amounts of money to integer cents. No amount is ever a binary float."""

from __future__ import annotations

import re
from typing import Final

from sk_fundload.domain._text import WHITE_SPACE

MAX_CENTS: Final = 10**17 - 1
"""The largest amount that the format allows: 15 digits, a point, two digits."""

_AMOUNT = re.compile(r"(?:\$|USD\$?|\$USD)?([0-9]{1,15})\.([0-9]{2})")


def parse_cents(text: str) -> int | None:
    """Return the cents in ``text``, stripped of white space; None if the text is not an amount.

    An amount is an optional ``$``, ``USD``, ``USD$`` or ``$USD``, then 1 to 15 digits, a point, and
    two digits.
    """
    found = _AMOUNT.fullmatch(text.strip(WHITE_SPACE))
    return int(found[1] + found[2]) if found else None
