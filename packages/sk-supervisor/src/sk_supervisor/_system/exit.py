"""Waiting for the end of a process without reaping it: until then its process id is not reused.

The exception: if other code of this process reaps all children (``waitpid(-1)``) and comes first,
the exit status is lost, and the id may be another process's.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys


def await_exit(pid: int) -> bool:
    """Return when a child of this process has ended; whether it is still to be reaped."""
    if sys.platform == "darwin":  # has no waitid before Python 3.13
        end = select.kevent(
            pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD | select.KQ_EV_ONESHOT, select.KQ_NOTE_EXIT
        )
        # A child that has ended may be unknown to kqueue before it can be reaped.
        with contextlib.closing(select.kqueue()) as queue, contextlib.suppress(ProcessLookupError):
            queue.control([end], 1)
    else:
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return False
    return True


def reap(process: subprocess.Popen[bytes]) -> bool:
    """Reap a process that has ended; return whether its exit status could be read.

    If not, ``Popen.wait`` would report success.
    """
    try:
        _, status = os.waitpid(process.pid, 0)
    except ChildProcessError:
        process.returncode = 0  # so that it is not waited for again
        return False
    process.returncode = os.waitstatus_to_exitcode(status)
    return True


def exits_are_lost() -> bool:
    """Whether the kernel reaps children by itself, so that their exit status is lost.

    It does so in a process that ignores SIGCHLD, a setting that child processes inherit.
    """
    return signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
