"""The exporting threads: they block signals, and do not keep the process alive."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Final

_HANDLED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start_thread(name: str, run: Callable[[], None]) -> threading.Thread:
    """Start a new exporting thread that calls `run`.

    :raises RuntimeError: if the system cannot start a thread.
    """

    def begin() -> None:
        # Only the main thread runs signal handlers, and it may be blocked in a system call: a
        # signal delivered to this thread would not wake it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        run()

    # A daemon: a receiver that hangs must not keep the process from ending.
    thread = threading.Thread(target=begin, name=f"export {name}", daemon=True)
    thread.start()
    return thread
