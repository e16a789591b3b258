"""Detect whether this process has been forked since an object was created."""

from __future__ import annotations

import os
from typing import ClassVar


class Lineage:
    """The ancestry of this process: ``forks`` counts the forks since this module was loaded.

    Unlike ``os.getpid()``, reading it takes no system call.
    """

    forks: ClassVar[int] = 0


def forks() -> int:
    """Return the number of forks between the process that loaded this module and this one."""
    return Lineage.forks


def _forked() -> None:
    """Count a fork; called in the child, right after the fork."""
    Lineage.forks += 1


os.register_at_fork(after_in_child=_forked)
