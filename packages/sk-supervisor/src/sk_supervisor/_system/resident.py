"""The resident memory of a process."""

from __future__ import annotations

import sys
from pathlib import Path

_PAGES = 1
"""The index of the number of resident pages in ``/proc/<pid>/statm``."""


def resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process; None if it is gone, or that is not reported."""
    if sys.platform == "linux":  # 2% of psutil's time, and no import
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
