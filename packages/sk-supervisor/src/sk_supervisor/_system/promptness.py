"""How soon a thread of this process gets the interpreter, while requests are served."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SWITCH_SECONDS: Final = 0.000_3


class Promptness:
    """Lets the hub's thread have the interpreter soon, whatever its callers are at.

    Python's default lets each thread keep it for 5 ms, and the hub asks for it at every hop. It is
    the whole process's, so it is put back when the last of those that want it has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users, self._before = 0, 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it so inside the block."""
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
