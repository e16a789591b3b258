"""Interpretation of a path in the settings: a standard stream, or a path in the file system."""

from __future__ import annotations

import os
import stat
from typing import Final

STANDARD: Final = "-"
"""Standard input for a source, standard output for a sink."""

_INPUT: Final = {STANDARD: 0, "/dev/stdin": 0, "/dev/fd/0": 0}
_OUTPUT: Final = {
    STANDARD: 1,
    "/dev/stdout": 1,
    "/dev/fd/1": 1,
    "/dev/stderr": 2,
    "/dev/fd/2": 2,
}


def input_descriptor(path: str) -> int | None:
    """Return the open descriptor that ``path`` names, or None.

    If it were opened again by its name, a redirected file would be read from its beginning.
    """
    return _INPUT.get(path)


def output_descriptor(path: str) -> int | None:
    """Return the open descriptor that ``path`` names, or None.

    If it were opened again by its name, a file redirected with ``>>`` would be overwritten.
    """
    return _OUTPUT.get(path)


def is_same_output(first: str, second: str) -> bool:
    """Whether two outputs are the same stream or file. A device may be named twice."""
    streams = output_descriptor(first), output_descriptor(second)
    if streams != (None, None):
        return streams[0] == streams[1]
    return is_same_file(first, second)


def is_same_file(first: str, second: str) -> bool:
    """Whether two paths name the same file (or pipe); false for devices and ``-``."""
    if STANDARD in (first, second) or _is_device(first):
        return False
    try:
        return os.path.samefile(first, second)
    except OSError:  # one of them does not exist yet
        return os.path.realpath(first) == os.path.realpath(second)
    except ValueError:  # not a valid file name
        return False


def _is_device(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
