"""How much memory a process has in use."""

from __future__ import annotations

import sys
from pathlib import Path

_PAGES = 1
"""The place in ``/proc/<pid>/statm``: resident pages."""


def resident_bytes(pid: int) -> int | None:
    """The resident memory of a process; None where it is gone, or the system does not say."""
    if sys.platform == "linux":  # a fiftieth of what psutil takes, which needs no import either
        return _from_proc(pid)
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def _from_proc(pid: int) -> int | None:
    from resource import getpagesize

    try:
        fields = Path(f"/proc/{pid}/statm").read_text("ascii").split()
    except OSError:
        return None
    return int(fields[_PAGES]) * getpagesize() if len(fields) > _PAGES else None
