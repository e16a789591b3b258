"""The time until a thread of this process gets the interpreter, while requests are served."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SWITCH_SECONDS: Final = 0.000_3


class Promptness:
    """Lets the hub's thread get the interpreter soon, whatever the callers' threads are doing.

    By default Python lets each thread keep it for 5 ms, and the hub needs it at every hop. The
    setting is that of the whole process, so it is restored when the last user has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users, self._before = 0, 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Set the short interval inside the block."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before, _SWITCH_SECONDS))
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    sys.setswitchinterval(self._before)


PROMPTNESS: Final = Promptness()
