"""Waiting for the end of a process without reaping it: until then its number is nobody else's.

Unless this process reaps whatever ends (``waitpid(-1)``), and it comes first: nobody knows then how
a worker ended, nor whose its number is.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys


def await_exit(pid: int) -> bool:
    """Return when a child of this process has ended; whether it is left to be reaped."""
    if sys.platform == "darwin":  # which has no waitid before Python 3.13
        end = select.kevent(
            pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD | select.KQ_EV_ONESHOT, select.KQ_NOTE_EXIT
        )
        # One that has ended may be unknown there before it can be reaped.
        with contextlib.closing(select.kqueue()) as queue, contextlib.suppress(ProcessLookupError):
            queue.control([end], 1)
    else:
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return False
    return True


def reap(process: subprocess.Popen[bytes]) -> bool:
    """Wait for a process that has ended; whether how it ended was there to be had.

    ``Popen.wait`` would say that it had ended well.
    """
    try:
        _, status = os.waitpid(process.pid, 0)
    except ChildProcessError:
        process.returncode = 0  # so that it is not waited for again
        return False
    process.returncode = os.waitstatus_to_exitcode(status)
    return True


def exits_are_lost() -> bool:
    """Whether the kernel reaps children unasked: how they ended is known to nobody then.

    It does so in a process that ignores SIGCHLD, which is handed on to whatever it starts.
    """
    return signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
