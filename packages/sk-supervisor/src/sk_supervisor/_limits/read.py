"""The limits that apply to this process, and how much of them is in use, read from the kernel.

A limit that cannot be read is left out: the run may then still fail when it starts, as it may when
other processes use up meanwhile what was left.
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
#: A process with one of these is exempt from RLIMIT_NPROC: CAP_SYS_ADMIN, CAP_SYS_RESOURCE.
_CAPABLE: Final = 1 << 21 | 1 << 24
_PROC: Final = Path("/proc")
_CGROUPS: Final = Path("/sys/fs/cgroup")


def processors() -> int:
    """The number of processors online, as gRPC counts them, usable by this process or not."""
    return os.sysconf("SC_NPROCESSORS_ONLN")


def file_limits() -> Iterator[Limit]:
    """The limit on this process's open files."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed == resource.RLIM_INFINITY:
        return
    try:
        taken = len(os.listdir("/dev/fd")) - 1  # less the one that lists them
    except OSError as error:
        if error.errno != errno.EMFILE:
            return
        taken = allowed
    yield Limit("RLIMIT_NOFILE", FILES, allowed, taken, _RAISE_FILES)


def task_limits(needed: int) -> Iterator[Limit]:
    """The limits on processes and threads: the user's, and those of the control groups.

    :param needed: the user's tasks are counted (slow) only if the tasks of all users together would
        leave fewer than this.
    """
    yield from user_limits(needed)
    try:
        groups = (_PROC / "self/cgroup").read_text().splitlines()
    except OSError:
        return
    yield from pids_limits(groups, _CGROUPS)


def user_limits(needed: int, proc: Path = _PROC) -> Iterator[Limit]:
    """The limit of the real user id, unless this process is exempt from it.

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
    """The task limits of a control group and its ancestors, as far as these are visible.

    :param groups: the lines of ``/proc/self/cgroup``.
    :param mount: the mount point of the control groups.
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
    """Whether RLIMIT_NPROC does not apply to this process: it is the host's root, or capable.

    Root of another user namespace, as in a container, is not exempt, nor are capabilities there.
    """
    inside, outside, count = map(int, (proc / "self/uid_map").read_text().split()[:3])
    status = _status(proc / "self")
    is_system = (inside, outside, count) == (0, 0, 2**32 - 1)
    is_root = os.getuid() - inside + outside == 0
    return is_root or (is_system and bool(int(status["CapEff"], 16) & _CAPABLE))


def _tasks_of(user: int, proc: Path) -> int:
    """The number of a user's processes and threads that are visible in ``proc``."""
    tasks = 0
    for folder in proc.iterdir():
        if folder.name.isdecimal():
            try:
                status = _status(folder)
                tasks += int(status["Threads"]) * (int(status["Uid"].split()[0]) == user)
            except (OSError, KeyError):  # it has ended
                continue
    return tasks


def _status(process: Path) -> dict[str, str]:
    lines = (process / "status").read_text(errors="replace").splitlines()
    return {name: said.strip() for name, _, said in (line.partition(":") for line in lines)}
