"""No worker outlives its supervisor: the kernel is asked to see to it, where it can."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Have this process killed when its parent is.

    Linux does it (``prctl(PR_SET_PDEATHSIG)``, see prctl(2)); elsewhere the loss of the control
    session ends the worker. A parent that died before the call is noticed by its changed pid.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)
