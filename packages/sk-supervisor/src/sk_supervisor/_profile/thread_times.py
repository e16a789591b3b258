"""What the threads of this process have used of the processor, by name."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Collection
from typing import Final

#: See proc(5): a folder for each thread; what it has used, in nanoseconds, comes first in a file.
_TASKS: Final = "/proc/self/task"


class Threads:
    """The processor time of each thread of this process, from the making of this object on.

    Those that have ended meanwhile are not in it; and it is empty where the system does not tell
    (Linux does). Threads of one name are told as one; one that Python has not begun is called as
    the system calls it.
    """

    def __init__(self) -> None:
        self._before = _nanoseconds()

    def spent(self, but: Collection[int] = ()) -> dict[str, float]:
        """Seconds by name, the most first; without the threads of these native identifiers."""
        names = {thread.native_id: thread.name for thread in threading.enumerate()}
        spent: defaultdict[str, float] = defaultdict(float)
        for native_id, now in _nanoseconds().items():
            if native_id not in but:
                name = names.get(native_id) or _called(native_id)
                spent[name] += (now - self._before.get(native_id, 0)) / 1e9
        return dict(sorted(spent.items(), key=lambda named: -named[1]))


def _nanoseconds() -> dict[int, int]:
    used = {}
    with contextlib.suppress(OSError):  # no Linux
        for name in os.listdir(_TASKS):
            with contextlib.suppress(OSError, ValueError):  # it has just ended
                used[int(name)] = int(_read(name, "schedstat").split()[0])
    return used


def _called(native_id: int) -> str:
    try:
        return _read(str(native_id), "comm").strip()
    except OSError:
        return "?"


def _read(task: str, file: str) -> str:
    with open(f"{_TASKS}/{task}/{file}", encoding="utf-8", errors="backslashreplace") as opened:
        return opened.read()
