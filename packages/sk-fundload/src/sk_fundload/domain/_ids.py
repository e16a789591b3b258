"""Identifiers: ids and customer ids."""

from __future__ import annotations

import re

from sk_fundload.domain._text import WHITE_SPACE

_ID = re.compile(r"[0-9]{1,40}")


def parse_id(text: str) -> str | None:
    """Give the id in ``text``, white space at its ends dropped; None when it is none.

    1 to 40 ASCII digits, kept as text: ``007`` stays ``007`` and is another id than ``7``.
    """
    text = text.strip(WHITE_SPACE)
    return text if _ID.fullmatch(text) else None
