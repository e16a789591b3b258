"""What a run over processes takes of the system, and whether that has as much. Pure.

gRPC ends the process that it cannot start a thread in, or waits there for ever: what it needs is
known before. The numbers are what such a run has been seen to take, and a test holds them to one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

#: Threads of gRPC in each process: two, and one for each processor, within these bounds.
_GRPC_BY_PROCESSOR: Final = (4, 16)
_GRPC: Final = 2
#: Further threads of the supervisor: its own, the display's, the admin socket's, the control
#: server's, and three of the hub.
_SUPERVISOR: Final = 7
#: And for each worker: its lines, its end, and its control session twice.
_SUPERVISOR_BY_WORKER: Final = 4
#: Further threads of a worker, and of the source's, which is read in one more.
_WORKER: Final = 6
_SOURCE: Final = 1

#: Open files of the supervisor beside its standard streams, and for each worker: the pipes of its
#: output, what wakes who reads them, and its two connections.
_FILES: Final = 15
_FILES_BY_WORKER: Final = 6
#: What it opens for a moment: to start a worker that follows another, or to answer ``sk status``.
FILES_FOR_A_MOMENT: Final = 8


class Need(NamedTuple):
    """What a run takes beside what its process has already.

    ``tasks`` are processes and threads: the system counts both alike. ``files`` are open files of
    the supervisor, which no worker has as many of.
    """

    tasks: int
    files: int


class Limit(NamedTuple):
    """What may be had of something, and how much of that is taken; ``remedy`` raises it."""

    name: str
    of: str
    allowed: int
    taken: int
    remedy: str

    @property
    def left(self) -> int:
        """How much of it can still be had."""
        return max(self.allowed - self.taken, 0)


class Shortage(NamedTuple):
    """A limit that a run does not fit in, and how much it needs."""

    limit: Limit
    needed: int

    def __str__(self) -> str:
        name, of, allowed, _, remedy = self.limit
        there = f"{name} leaves {self.limit.left} of {allowed}"
        return f"the run needs {self.needed} more {of}, and {there}: {remedy}"


def need_of(workers: int, processors: int) -> Need:
    """What so many workers need, with their supervisor, on a machine of so many processors."""
    fewest, most = _GRPC_BY_PROCESSOR
    grpc = _GRPC + min(max(processors, fewest), most)
    supervisor = _SUPERVISOR + _SUPERVISOR_BY_WORKER * workers + grpc
    all_workers = workers * (_WORKER + grpc) + _SOURCE
    files = _FILES + _FILES_BY_WORKER * workers + FILES_FOR_A_MOMENT
    return Need(supervisor - 1 + all_workers, files)  # its own thread is there already


def shortage(needed: int, limits: Iterable[Limit]) -> Shortage | None:
    """The limit that leaves the least, where that is less than is needed."""
    tightest = min(limits, key=lambda limit: limit.left, default=None)
    if tightest is None or tightest.left >= needed:
        return None
    return Shortage(tightest, needed)
