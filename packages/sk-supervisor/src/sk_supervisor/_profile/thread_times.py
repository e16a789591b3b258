"""The CPU time of this process's threads, by name."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Collection
from typing import Final

#: See proc(5): a folder for each thread, with CPU nanoseconds as the first field of ``schedstat``.
_TASKS: Final = "/proc/self/task"


class Threads:
    """The CPU time of each thread of this process since this object was created.

    Threads that have ended are not included, and on systems other than Linux there are none.
    Threads with the same name are summed; a thread that Python did not start has the system's name.
    """

    def __init__(self) -> None:
        self._before = _nanoseconds()

    def spent(self, but: Collection[int] = ()) -> dict[str, float]:
        """CPU seconds by thread name, the most first, without the native thread ids in ``but``."""
        names = {thread.native_id: thread.name for thread in threading.enumerate()}
        spent: defaultdict[str, float] = defaultdict(float)
        for native_id, now in _nanoseconds().items():
            if native_id not in but:
                name = names.get(native_id) or _called(native_id)
                spent[name] += (now - self._before.get(native_id, 0)) / 1e9
        return dict(sorted(spent.items(), key=lambda named: -named[1]))


def _nanoseconds() -> dict[int, int]:
    used = {}
    with contextlib.suppress(OSError):  # not Linux
        for name in os.listdir(_TASKS):
            with contextlib.suppress(OSError, ValueError):  # the thread has ended
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
