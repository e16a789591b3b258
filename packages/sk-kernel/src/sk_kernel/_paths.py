"""Texts that cannot be a file's path: system calls raise ValueError for them."""

from __future__ import annotations

import os


def is_path(text: str) -> bool:
    """Return whether a text can be a path: no NUL, and the file system encoding can encode it.

    Not every text of a configuration can: under ``LC_ALL=C`` a path may have ASCII characters only.
    """
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
