"""Texts that cannot be the path of any file: the calls of the system raise ValueError for them."""

from __future__ import annotations

import os


def is_path(text: str) -> bool:
    """Whether the system can have a file of this path: no NUL, and its encoding has every letter.

    Not every text of a configuration is: under ``LC_ALL=C`` a path may have ASCII letters only.
    """
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
