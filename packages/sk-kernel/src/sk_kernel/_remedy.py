"""Remedies for exhausted system resources: the system's own message names no limit."""

from __future__ import annotations

import errno
from types import MappingProxyType
from typing import Final

_FILES: Final = "raise the limit of open files (ulimit -n; LimitNOFILE= of a systemd unit)"
_TASKS: Final = (
    "raise the limit of processes and threads (ulimit -u; TasksMax= and LimitNPROC= of a systemd"
    " unit; pids.max of a cgroup)"
)
_REMEDIES: Final = MappingProxyType(
    {
        errno.EMFILE: _FILES,
        errno.ENFILE: "the whole system has no more open files to give (sysctl fs.file-max)",
        errno.EAGAIN: _TASKS,
    }
)


def remedy_of(error: OSError) -> str:
    """Return which limit to raise, and how; empty if the error is not about a limit."""
    return _REMEDIES.get(error.errno or 0, "")


def with_remedy(error: OSError) -> str:
    """Return the error's message, with the remedy appended unless the message already has it."""
    said, remedy = str(error), remedy_of(error)
    return f"{said}: {remedy}" if remedy and remedy not in said else said
