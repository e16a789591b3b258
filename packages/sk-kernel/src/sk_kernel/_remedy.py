"""What to do where the system has no more to give: its own words name no limit."""

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
    """Which limit to raise, and how; empty where none is behind it."""
    return _REMEDIES.get(error.errno or 0, "")


def with_remedy(error: OSError) -> str:
    """What the system said, and the remedy, unless it is in that already."""
    said, remedy = str(error), remedy_of(error)
    return f"{said}: {remedy}" if remedy and remedy not in said else said
