"""Whether a process is still the one that something was begun in, or one that has been forked."""

from __future__ import annotations

import os
from typing import ClassVar


class Lineage:
    """Of this process. ``forks`` lie between it and the one that has loaded this module.

    To look at that takes no system call, as to ask for the process's id does.
    """

    forks: ClassVar[int] = 0


def forks() -> int:
    """How many forks there are up to now."""
    return Lineage.forks


def _forked() -> None:
    """In the child, right behind the fork."""
    Lineage.forks += 1


os.register_at_fork(after_in_child=_forked)
