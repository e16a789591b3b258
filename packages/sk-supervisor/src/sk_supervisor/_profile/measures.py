"""The measurements of one process in a profiled run, and the file that they are written to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import msgspec
from sk_kernel.runtime import UNREADABLE, Stage, Stopwatch, file_name
from sk_transport import Channel, FrameLimits, Secret, SequenceGuard, Signer, Verifier

from sk_supervisor._profile.signing import TimedSigner, TimedVerifier
from sk_supervisor._profile.thread_times import Threads
from sk_supervisor.errors import ProfileError

P = ParamSpec("P")
T = TypeVar("T")

WAIT: Final = "wait for work"
"""The stage in which a worker's main thread waits for work."""
_SUFFIX: Final = ".profile"


class ProcessProfile(msgspec.Struct, frozen=True):
    """The times of one process, from the opening of the gate to the end of its work.

    ``records`` counts the source's records, and ``own`` those that reached this process, if it is
    one of several. ``marks`` are the steps of its start, in nanoseconds since the epoch, by name.
    ``threads`` are the CPU seconds, by name, of the threads that have no stages.
    """

    worker_id: str
    group: str
    records: int
    seconds: float
    cpu_seconds: float
    stages: list[Stage]
    marks: dict[str, int] = {}
    own: int | None = None
    threads: dict[str, float] = {}


class Profiler:
    """Measures one process, with a stopwatch for each of its measured threads.

    :param folder: the folder to which :meth:`write` writes.
    :param marks: the steps of the start; the caller may still add to it.
    :param on_failure: called with the error when :meth:`write` fails; without it, it is raised.
    """

    def __init__(
        self,
        folder: str,
        *,
        worker_id: str,
        group: str,
        marks: dict[str, int] | None = None,
        on_failure: Callable[[ProfileError], object] | None = None,
    ) -> None:
        self._on_failure = on_failure
        self._path = Path(folder) / (file_name(worker_id) + _SUFFIX)
        self._worker_id, self._group = worker_id, group
        self._marks = {} if marks is None else marks
        self.source, self.main, self.data = Stopwatch(), Stopwatch(), Stopwatch()
        self._watches = self.source, self.data, self.main
        self._threads = Threads()
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._written = False

    def begin(self) -> None:
        """Start measuring: the gate is open. The time until now belongs to the start."""
        self._marks["gate"] = time.time_ns()
        self.main.restart()  # it was waiting for the gate
        self._threads = Threads()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def write(self, records: int, own: int | None = None) -> None:
        """Write the measurements; further calls do nothing.

        :param own: the number of records that reached this process, if that may not be all.
        :raises ProfileError: when the file cannot be written and there is no ``on_failure``.
        """
        if self._written:
            return
        self._written = True
        told = ProcessProfile(
            worker_id=self._worker_id,
            group=self._group,
            records=records,
            seconds=time.perf_counter() - self._wall,
            cpu_seconds=time.process_time() - self._cpu,
            stages=[stage for watch in self._watches for stage in watch.stages()],
            marks=self._marks,
            own=own,
            threads=self._threads.spent(but=frozenset().union(*(w.threads for w in self._watches))),
        )
        try:
            unfinished = self._path.with_suffix(".unfinished")
            unfinished.write_bytes(msgspec.json.encode(told))
            os.replace(unfinished, self._path)
        except OSError as error:
            failure = ProfileError("write", error.strerror or str(error))
            if self._on_failure is None:
                raise failure from error
            self._on_failure(failure)

    def signer(self, channel: Channel, key: Secret, *, limits: FrameLimits) -> Signer:
        """Return a measured signer for the main thread."""
        return TimedSigner(self.main, channel, key, limits=limits)

    def verifier(self, channel: Channel, key: Secret, *, guard: SequenceGuard) -> Verifier:
        """Return a measured verifier for the receiving thread."""
        return TimedVerifier(self.data, channel, key, guard=guard)

    def sending(self, send: Callable[P, T]) -> Callable[P, T]:
        """Wrap the function that sends a frame, in the main thread."""
        return self.main.timed("frame send", send)

    def receiving(self, receive: Callable[P, T]) -> Callable[P, T]:
        """Wrap the function that receives a frame, in the receiving thread."""
        return self.data.timed("frame receive", receive)

    def encoding(self, encode: Callable[P, T]) -> Callable[P, T]:
        """Wrap the function that encodes a frame's payload, in the main thread."""
        return self.main.timed("frame encode", encode)

    def decoding(self, decode: Callable[P, T]) -> Callable[P, T]:
        """Wrap the function that decodes a frame's payload, in the main thread."""
        return self.main.timed("frame decode", decode)

    def waiting(self, get: Callable[P, T]) -> Callable[P, T]:
        """Wrap the function in which the main thread waits for work."""
        return self.main.timed(WAIT, get)


def read_profiles(folder: str) -> list[ProcessProfile]:
    """Read the measurements that the processes of a run have written.

    :raises ProfileError: when a file cannot be read.
    """
    try:
        files = sorted(Path(folder).glob("*" + _SUFFIX))
        return [msgspec.json.decode(f.read_bytes(), type=ProcessProfile) for f in files]
    except OSError as error:
        raise ProfileError("read", error.strerror or str(error)) from error
    except UNREADABLE as error:
        raise ProfileError("read", type(error).__name__) from error
