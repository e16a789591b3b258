"""The threads that export: no signal is for them, and none of them keeps the process alive."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Final

_HANDLED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start_thread(name: str, run: Callable[[], None]) -> threading.Thread:
    """Start a thread that exports; another one each time.

    :raises RuntimeError: when the system gives none.
    """

    def begin() -> None:
        # The main thread alone runs handlers, and may be deep in a system call: a signal that this
        # thread took would not wake it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        run()

    # A daemon: a receiver that hangs must not keep the process from its end.
    thread = threading.Thread(target=begin, name=f"export {name}", daemon=True)
    thread.start()
    return thread
