"""Ending a worker when its supervisor has ended, by the kernel where it can do that."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Have this process killed when its parent ends.

    Linux does it (``prctl(PR_SET_PDEATHSIG)``, see prctl(2)); elsewhere the loss of the control
    session ends the worker. If the parent ended before the call, its changed pid shows that.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)
