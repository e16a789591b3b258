"""The processes, threads and files that a multiprocess run needs, compared with the limits. Pure.

If gRPC cannot start a thread it aborts the process or hangs, so the need is computed in advance.
The numbers were measured on such a run, and a test compares them with one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

#: Threads of gRPC in each process: two, and one per processor, within these bounds.
_GRPC_BY_PROCESSOR: Final = (4, 16)
_GRPC: Final = 2
#: Further threads of the supervisor: the main thread, those of the display, the admin socket and
#: the control server, and three of the hub.
_SUPERVISOR: Final = 7
#: And per worker: one for its output lines, one for its exit, and two for its control session.
_SUPERVISOR_BY_WORKER: Final = 4
#: Further threads of a worker; the source's worker has one more, which reads the source.
_WORKER: Final = 6
_SOURCE: Final = 1

#: Open files of the supervisor besides its standard streams; and per worker: the pipes of its
#: output, the descriptors that wake their reader, and its two connections.
_FILES: Final = 15
_FILES_BY_WORKER: Final = 6
#: Files that it opens briefly: to start a replacement worker, or to answer ``sk status``.
FILES_FOR_A_MOMENT: Final = 8


class Need(NamedTuple):
    """What a run needs in addition to what its process already uses.

    ``tasks`` are processes and threads, which the system counts alike. ``files`` are open files of
    the supervisor; no worker has as many.
    """

    tasks: int
    files: int


class Limit(NamedTuple):
    """A limit ``of`` a resource, and how much of it is in use; ``remedy`` says how to raise it."""

    name: str
    of: str
    allowed: int
    taken: int
    remedy: str

    @property
    def left(self) -> int:
        """How much of the resource is still available."""
        return max(self.allowed - self.taken, 0)


class Shortage(NamedTuple):
    """A limit that is too low for a run, and how much the run needs."""

    limit: Limit
    needed: int

    def __str__(self) -> str:
        name, of, allowed, _, remedy = self.limit
        there = f"{name} leaves {self.limit.left} of {allowed}"
        return f"the run needs {self.needed} more {of}, and {there}: {remedy}"


def need_of(workers: int, processors: int) -> Need:
    """The need of this many workers and their supervisor, on this many processors."""
    fewest, most = _GRPC_BY_PROCESSOR
    grpc = _GRPC + min(max(processors, fewest), most)
    supervisor = _SUPERVISOR + _SUPERVISOR_BY_WORKER * workers + grpc
    all_workers = workers * (_WORKER + grpc) + _SOURCE
    files = _FILES + _FILES_BY_WORKER * workers + FILES_FOR_A_MOMENT
    return Need(supervisor - 1 + all_workers, files)  # its main thread exists already


def shortage(needed: int, limits: Iterable[Limit]) -> Shortage | None:
    """The limit that leaves the least, if that is less than is needed; else None."""
    tightest = min(limits, key=lambda limit: limit.left, default=None)
    if tightest is None or tightest.left >= needed:
        return None
    return Shortage(tightest, needed)
