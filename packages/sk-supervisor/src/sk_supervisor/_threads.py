"""Starting a thread of ours, which takes no signals, or saying in one way that there is none."""

from __future__ import annotations

import errno
import threading
from typing import TextIO

from sk_supervisor._forgiving import Forgiving
from sk_supervisor._signals import without_signals


def begin(thread: threading.Thread) -> None:
    """Start a thread, with the handled signals kept from it.

    :raises OSError: when the system has none to give.
    """
    try:
        with without_signals():
            thread.start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from error


def tell_left_behind(stream: TextIO) -> None:
    """Say which threads keep this process from its end: none of them is ours."""
    main = threading.main_thread()
    names = [each.name for each in threading.enumerate() if not each.daemon and each is not main]
    if names:
        said = f"waiting for threads that nodes have left: {', '.join(names)}\n"
        Forgiving(stream).write(said)


def begun(thread: threading.Thread) -> bool:
    """Whether it was started: only then can it be joined."""
    return thread.ident is not None
