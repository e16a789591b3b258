"""Starting a thread of ours, which takes no signals, or saying in one way that there is none."""

from __future__ import annotations

import errno
import threading
from typing import TextIO

from sk_supervisor._system.last_code import left_children
from sk_supervisor._system.signals import without_signals
from sk_supervisor._system.streams import tolerant


def begin(thread: threading.Thread) -> None:
    """Start a thread, with the handled signals kept from it.

    :raises OSError: when the system has none to give.
    """
    try:
        with without_signals():
            thread.start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from error


def tell_left_behind(stream: TextIO | None) -> None:
    """Say which threads and processes keep this process from its end: none of them is ours."""
    main = threading.main_thread()
    threads = [each.name for each in threading.enumerate() if not each.daemon and each is not main]
    processes = [f"{each.name} (pid {each.pid})" for each in left_children() if not each.daemon]
    for kind, names in (("threads", threads), ("processes", processes)):
        if names:
            said = f"waiting for {kind} that nodes have left: {', '.join(names)}; Ctrl-C ends it\n"
            tolerant(stream).write(said)


def begun(thread: threading.Thread) -> bool:
    """Whether it was started: only then can it be joined."""
    return thread.ident is not None
