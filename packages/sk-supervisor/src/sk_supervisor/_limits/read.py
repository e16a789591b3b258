"""The limits that this process is under, and how much of them is taken: as the kernel says.

What cannot be read is no limit: then the system refuses in its own way, as it does where others
take meanwhile what was left.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sk_supervisor._limits.need import Limit

TASKS: Final = "processes and threads"
FILES: Final = "open files"
_RAISE_FILES: Final = "raise it (ulimit -n; LimitNOFILE= of a systemd unit), or have fewer workers"
_RAISE_TASKS: Final = "raise it (ulimit -u; LimitNPROC= of a systemd unit), or have fewer workers"
_RAISE_PIDS: Final = (
    "raise it (TasksMax= of a systemd unit; --pids-limit of a container), or have fewer workers"
)
#: Who has one of these is held to no RLIMIT_NPROC: CAP_SYS_ADMIN, CAP_SYS_RESOURCE.
_CAPABLE: Final = 1 << 21 | 1 << 24
_PROC: Final = Path("/proc")
_CGROUPS: Final = Path("/sys/fs/cgroup")


def processors() -> int:
    """How many there are, as gRPC counts them: whichever of them this process may use."""
    return os.sysconf("SC_NPROCESSORS_ONLN")


def file_limits() -> Iterator[Limit]:
    """The limit of what this process may have open."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed == resource.RLIM_INFINITY:
        return
    try:
        taken = len(os.listdir("/dev/fd")) - 1  # what lists them has one itself
    except OSError as error:
        if error.errno != errno.EMFILE:
            return
        taken = allowed
    yield Limit("RLIMIT_NOFILE", FILES, allowed, taken, _RAISE_FILES)


def task_limits(needed: int) -> Iterator[Limit]:
    """The limits of processes and threads: the user's, and those of the control groups above.

    :param needed: the user's are counted only where not even everybody's leave as many.
    """
    yield from user_limits(needed)
    try:
        groups = (_PROC / "self/cgroup").read_text().splitlines()
    except OSError:
        return
    yield from pids_limits(groups, _CGROUPS)


def user_limits(needed: int, proc: Path = _PROC) -> Iterator[Limit]:
    """The limit of the real user id, unless this process is held to none.

    :param needed: see :func:`task_limits`.
    """
    allowed = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if allowed == resource.RLIM_INFINITY:
        return
    try:
        if _is_exempt(proc):
            return
        everybody = int((proc / "loadavg").read_text().split()[3].partition("/")[2])
        taken = everybody if allowed - everybody >= needed else _tasks_of(os.getuid(), proc)
    except (OSError, ValueError, IndexError, KeyError):
        return
    yield Limit("RLIMIT_NPROC", TASKS, allowed, taken, _RAISE_TASKS)


def pids_limits(groups: list[str], mount: Path) -> Iterator[Limit]:
    """The limits of a control group and of those above it, as far as they are to be seen.

    :param groups: the lines of ``/proc/self/cgroup``.
    :param mount: where control groups are mounted.
    """
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if "pids" in controllers.split(","):
            roots = [mount / controllers]
        else:
            roots = [] if controllers else [mount, mount / "unified"]
        for root in roots:
            own = root / path.lstrip("/")
            for folder in (own, *own.parents):
                if folder.is_relative_to(root):
                    yield from _pids_limit(folder)


def _pids_limit(folder: Path) -> Iterator[Limit]:
    try:
        allowed = (folder / "pids.max").read_text().strip()
        taken = int((folder / "pids.current").read_text())
    except (OSError, ValueError):
        return
    if allowed.isdecimal():
        name = f"{folder / 'pids.max'}"
        yield Limit(name, TASKS, int(allowed), taken, _RAISE_PIDS)


def _is_exempt(proc: Path) -> bool:
    """Whether this process is the system's own root, or has its powers: a container's has not."""
    inside, outside, count = map(int, (proc / "self/uid_map").read_text().split()[:3])
    status = _status(proc / "self")
    is_system = (inside, outside, count) == (0, 0, 2**32 - 1)
    is_root = os.getuid() - inside + outside == 0
    return is_root or (is_system and bool(int(status["CapEff"], 16) & _CAPABLE))


def _tasks_of(user: int, proc: Path) -> int:
    """How many processes and threads a user has, of those that are to be seen from here."""
    tasks = 0
    for folder in proc.iterdir():
        if folder.name.isdecimal():
            try:
                status = _status(folder)
                tasks += int(status["Threads"]) * (int(status["Uid"].split()[0]) == user)
            except (OSError, KeyError):  # it has ended meanwhile
                continue
    return tasks


def _status(process: Path) -> dict[str, str]:
    lines = (process / "status").read_text(errors="replace").splitlines()
    return {name: said.strip() for name, _, said in (line.partition(":") for line in lines)}
