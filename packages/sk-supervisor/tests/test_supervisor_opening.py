"""A session that does not open: gRPC may wait for ever for a thread that it did not get."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from sk_config import build_config
from sk_control import ControlServer
from sk_observability import LifecycleLog
from sk_supervisor import (
    MultiprocessBootstrapSupervisor,
    RuntimeLifecycleReadyError,
    StartInterruptedError,
    StopForcedError,
    prepare,
)
from sk_supervisor._session.session import Session
from sk_supervisor._supervisor.transport import Transport, scope_of
from sk_supervisor._system.signals import HANDLED, signals_to
from supervisor_harness import GROUPS, PATIENCE, left_since, settings, threads

if TYPE_CHECKING:
    from sk_config import ControlConfig


class Stuck(Session):
    """Its control server begins to listen when it is told to; ``met`` is called before that."""

    go_on: ClassVar[threading.Event]
    met: ClassVar[Callable[[], None]]
    hub_at: ClassVar[tuple[str, int]]

    def _control_server(self, control: ControlConfig) -> ControlServer:
        type(self).hub_at = self.hub.address
        type(self).met()
        assert self.go_on.wait(PATIENCE)
        return super()._control_server(control)


@contextmanager
def stuck(
    target: Path, met: Callable[[MultiprocessBootstrapSupervisor], None], timeout: int = 30
) -> Iterator[MultiprocessBootstrapSupervisor]:
    """A supervisor whose session is open only behind the block; then nothing is left of it."""
    before = threads()
    groups = [{**group, "start_timeout_seconds": timeout} for group in GROUPS]
    prepared = prepare(build_config(settings(target, groups=groups)))
    scope = scope_of(Transport("tcp_local", Stuck))
    supervisor = MultiprocessBootstrapSupervisor(prepared, "r1", LifecycleLog("r1"), scope=scope)
    Stuck.go_on, Stuck.met = threading.Event(), lambda: met(supervisor)
    try:
        yield supervisor
        supervisor.shutdown()
    finally:
        Stuck.go_on.set()
    left_since(before)  # the last of them has gRPC's end with it
    assert left_since(before) == set()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(Stuck.hub_at, timeout=10)


def test_a_start_is_over_in_its_time(target: Path) -> None:
    with stuck(target, lambda _: None, timeout=1) as supervisor:
        with pytest.raises(RuntimeLifecycleReadyError, match="gRPC does not listen") as caught:
            supervisor.start_groups(["in", "mid", "out"])
        assert (caught.value.category, caught.value.exit_code) == ("timeout", 3)
        assert supervisor.snapshot().workers() == ()


def test_a_signal_is_heard_meanwhile(target: Path) -> None:
    """By the thread that waits, which is the main one and alone runs handlers."""

    def met(_: MultiprocessBootstrapSupervisor) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    with stuck(target, met) as supervisor:

        def stop(reason: str, force: bool) -> None:
            supervisor.request_stop(reason, force=force)

        with signals_to(stop, force=False), pytest.raises(StartInterruptedError, match="SIGTERM"):
            supervisor.start_groups(["in", "mid", "out"])


def test_a_stop_by_force_ends_it(target: Path) -> None:
    def met(supervisor: MultiprocessBootstrapSupervisor) -> None:
        supervisor.request_stop("again", force=True)

    with stuck(target, met) as supervisor, pytest.raises(StopForcedError):
        supervisor.start_groups(["in", "mid", "out"])


def test_the_threads_of_a_session_take_no_signals(target: Path) -> None:
    blocked: list[set[int]] = []

    def met(supervisor: MultiprocessBootstrapSupervisor) -> None:
        blocked.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        supervisor.request_stop("seen")

    with stuck(target, met) as supervisor, pytest.raises(StartInterruptedError):
        supervisor.start_groups(["in", "mid", "out"])
    assert blocked[0] >= set(HANDLED)
