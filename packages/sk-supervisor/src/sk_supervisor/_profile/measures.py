"""What a profiled run measures in one process, and the file by which a worker says it."""

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
"""The stage in which a worker's main thread waits for something to do."""
_SUFFIX: Final = ".profile"


class ProcessProfile(msgspec.Struct, frozen=True):
    """Where the time of one process went, from the gate to the end of its work.

    ``records`` are those of the source, and ``own`` those that came to this process, where it is
    one of several. ``marks`` are the steps of its start: nanoseconds since the epoch, by name.
    ``threads`` are the processor seconds of those threads that no stage is of, by name.
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
    """Measures one process: a stopwatch for each of its threads.

    :param folder: where :meth:`write` puts what was measured.
    :param marks: the steps of the start, which may still be added to.
    :param on_failure: hears of a :meth:`write` that is not possible, which then raises nothing.
    """

    def __init__(
        self,
        folder: str,
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
        """The gate is open: what was used until here was used by the start."""
        self._marks["gate"] = time.time_ns()
        self.main.restart()  # it has waited for the gate
        self._threads = Threads()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def write(self, records: int, own: int | None = None) -> None:
        """Write what was measured; once.

        :param own: how many records came to this process, if those need not be all of them.
        :raises ProfileError: when that is not possible, and nobody is there to hear of it.
        """
        if self._written:
            return
        self._written = True
        told = ProcessProfile(
            self._worker_id,
            self._group,
            records,
            time.perf_counter() - self._wall,
            time.process_time() - self._cpu,
            [stage for watch in self._watches for stage in watch.stages()],
            self._marks,
            own,
            self._threads.spent(but=frozenset().union(*(w.threads for w in self._watches))),
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
        """A signer whose work is measured; the main thread's."""
        return TimedSigner(self.main, channel, key, limits=limits)

    def verifier(self, channel: Channel, key: Secret, *, guard: SequenceGuard) -> Verifier:
        """A verifier whose work is measured; the receiving thread's."""
        return TimedVerifier(self.data, channel, key, guard=guard)

    def sending(self, send: Callable[P, T]) -> Callable[P, T]:
        """Sending a frame, measured; the main thread's."""
        return self.main.timed("frame send", send)

    def receiving(self, receive: Callable[P, T]) -> Callable[P, T]:
        """Receiving a frame, measured; the receiving thread's."""
        return self.data.timed("frame receive", receive)

    def encoding(self, encode: Callable[P, T]) -> Callable[P, T]:
        """Encoding a frame's payload, measured; the main thread's."""
        return self.main.timed("frame encode", encode)

    def decoding(self, decode: Callable[P, T]) -> Callable[P, T]:
        """Decoding a frame's payload, measured; the main thread's."""
        return self.main.timed("frame decode", decode)

    def waiting(self, get: Callable[P, T]) -> Callable[P, T]:
        """Waiting for something to do, measured; the main thread's."""
        return self.main.timed(WAIT, get)


def read_profiles(folder: str) -> list[ProcessProfile]:
    """What the processes of a run have written.

    :raises ProfileError: when it cannot be read.
    """
    try:
        files = sorted(Path(folder).glob("*" + _SUFFIX))
        return [msgspec.json.decode(f.read_bytes(), type=ProcessProfile) for f in files]
    except OSError as error:
        raise ProfileError("read", error.strerror or str(error)) from error
    except UNREADABLE as error:
        raise ProfileError("read", type(error).__name__) from error
