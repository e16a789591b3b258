"""Parsing of ids and customer ids."""

from __future__ import annotations

import re

from sk_fundload.domain._text import WHITE_SPACE

_ID = re.compile(r"[0-9]{1,40}")


def parse_id(text: str) -> str | None:
    """Return the id in ``text``, stripped of white space; None if the text is not an id.

    An id has 1 to 40 ASCII digits and stays text: ``007`` and ``7`` are different ids.
    """
    text = text.strip(WHITE_SPACE)
    return text if _ID.fullmatch(text) else None
