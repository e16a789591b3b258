"""Threads of ours: they take no signals, and run application code with its context variables."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TextIO

from sk_kernel.runtime import remedy_of

from sk_supervisor._system.last_code import left_children
from sk_supervisor._system.signals import without_signals
from sk_supervisor._system.streams import tolerant


def begin(thread: threading.Thread) -> None:
    """Start a thread in which the handled signals are blocked.

    :raises OSError: when the system has no thread left.
    """
    try:
        with without_signals():
            thread.start()
    except RuntimeError as error:
        lack = OSError(errno.EAGAIN, str(error))
        lack.strerror = f"{error}: {remedy_of(lack)}"
        raise lack from error


def as_here() -> Callable[[Callable[[], object]], object]:
    """Return a function that runs a call in another thread with the present context variables.

    Each call has its own copy of them. A module may set some as it is imported, such as the
    precision of ``decimal``: they are set only in the thread that imports it, and threads of ours
    would not have them.
    """
    context = copy_context()
    return lambda call: context.copy().run(call)


def tell_left_behind(stream: TextIO | None) -> None:
    """Report the threads and processes of nodes that this process has to wait for at its end."""
    main = threading.main_thread()
    threads = [each.name for each in threading.enumerate() if not each.daemon and each is not main]
    processes = [f"{each.name} (pid {each.pid})" for each in left_children() if not each.daemon]
    for kind, names in (("threads", threads), ("processes", processes)):
        if names:
            said = f"waiting for {kind} that nodes have left: {', '.join(names)}; Ctrl-C ends it\n"
            tolerant(stream).write(said)


def begun(thread: threading.Thread) -> bool:
    """Whether a thread was started: only then can it be joined."""
    return thread.ident is not None
