"""The fixture of a claim: a supervisor under test and its application."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sk_kernel._application.spec import AdapterSettings, ApplicationSpec
from sk_kernel.errors import LifecycleCallError
from sk_kernel.ports import BootstrapSupervisor, LifecycleEvent
from sk_kernel.status import WorkerStatus

APPLICATION: Final = "sk_kernel.testing.supervised_app"
#: The time limit in seconds of every step that has none of its own; long, for busy machines.
SOON: Final = 60.0
_LOOK_SECONDS: Final = 0.01
#: What ``shutdown`` may return.
RUNGS: Final = ("none", "stop", "terminate", "kill")

Placement = Mapping[str, Sequence[str]]

#: Two process groups, for engines that have any: one with the source, one with the sink.
PLACEMENT: Final[Placement] = MappingProxyType(
    {"front": ("source:source", "square_of"), "back": ("sink:sink",)}
)


class Made(NamedTuple):
    """A supervisor that is not started, and the groups to start it with, in order."""

    supervisor: BootstrapSupervisor
    groups: Sequence[str]


MakeSupervisor = Callable[[ApplicationSpec, Placement], Made]
"""Creates a supervisor of an application; places its nodes on these groups, if it has groups."""


def application(count: int, fails_at: int = 0) -> ApplicationSpec:
    """Return the application: ``count`` numbers (0: no end), failing at one of them (0: none)."""
    return ApplicationSpec(
        scenario="check_supervisor",
        discovery_modules=[APPLICATION],
        nodes={"square_of": {"fails_at": fails_at}},
        source=AdapterSettings("numbers", {"count": count}),
        sink=AdapterSettings("squares"),
    )


@dataclass
class SupervisorBench:
    """Creates supervisors for one claim, and shuts each of them down at the end."""

    make: MakeSupervisor
    has_os_pids: bool

    @contextmanager
    def supervisor(self, count: int = 10, fails_at: int = 0) -> Iterator[Bench]:
        """Give the block a supervisor that is not started."""
        made = self.make(application(count, fails_at), PLACEMENT)
        try:
            yield Bench(made.supervisor, tuple(made.groups), self.has_os_pids)
        finally:
            made.supervisor.shutdown()


@dataclass
class Bench:
    """A supervisor under test."""

    supervisor: BootstrapSupervisor
    groups: tuple[str, ...]
    has_os_pids: bool

    def start(self) -> None:
        """Start every group, and wait until all are ready."""
        self.supervisor.start_groups(self.groups)
        equal(self.supervisor.wait_ready(SOON), True)

    def events(self, name: str) -> list[LifecycleEvent]:
        """Return the events of that name."""
        return [e for e in self.supervisor.lifecycle_events() if e.name == name]

    def workers(self) -> tuple[WorkerStatus, ...]:
        """Return the present status of every worker."""
        return self.supervisor.snapshot().workers()

    def flowing(self) -> bool:
        """Return whether a worker has passed on records."""
        return any(w.records_out for w in self.workers())

    def all_stopped(self) -> None:
        """Raise AssertionError unless every worker is stopped and no worker's process is alive."""
        states = {w.state for w in self.workers()}
        holds(states <= {"stopped"}, f"every worker stopped, not {sorted(states)}")
        own = os.getpid()
        holds(not any(w.alive and w.os_pid != own for w in self.workers()), "no worker alive")

    @contextmanager
    def meanwhile(self, seen: Callable[[], bool], then: Callable[[], object]) -> Iterator[None]:
        """While the block runs, call ``then`` in another thread as soon as ``seen`` returns true.

        If that takes too long, or ``then`` raises, the run is stopped by force so that the block
        returns, and the error is raised at its end.
        """
        over = threading.Event()
        wrong: list[BaseException] = []

        def look() -> None:
            try:
                self._see(seen, over)
                if not over.is_set():
                    then()
            except BaseException as error:  # noqa: BLE001 - raised in the block's thread
                wrong.append(error)
                self.supervisor.request_stop("check_supervisor gives up", force=True)

        thread = threading.Thread(target=look, name="meanwhile", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(SOON)
            if wrong:
                raise wrong[0]

    @staticmethod
    def _see(seen: Callable[[], bool], over: threading.Event) -> None:
        """Return once ``seen`` is true or ``over`` is set; raise if that takes too long."""
        end = time.monotonic() + SOON
        while not over.is_set() and not seen():
            holds(time.monotonic() < end, "to see in the run what is waited for")
            over.wait(_LOOK_SECONDS)


def equal(found: object, expected: object) -> None:
    """Raise AssertionError, with both values, unless they are equal."""
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def holds(fact: object, what: str) -> None:
    """Raise AssertionError, with the expectation ``what``, unless ``fact`` is true."""
    if not fact:
        raise AssertionError(f"expected {what}")


def refused(call: Callable[[], Any], what: str) -> None:
    """Raise AssertionError unless the call raises LifecycleCallError."""
    try:
        call()
    except LifecycleCallError:
        return
    raise AssertionError(f"expected LifecycleCallError for {what}, but nothing was raised")
