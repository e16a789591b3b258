"""A system that has no thread to give: every start of one is a typed error, and nothing is left."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from sk_config import HealthConfig, HealthListenerConfig, build_config
from sk_control import ControlServer
from sk_kernel import Progress
from sk_observability import LifecycleLog
from sk_supervisor import (
    HealthBindError,
    LocalBootstrapSupervisor,
    MultiprocessBootstrapSupervisor,
    RuntimeLifecycleReadyError,
    ServiceFailedError,
    prepare,
    run,
    serve,
)
from sk_supervisor._health.checks import HealthChecks
from sk_supervisor._health.server import health_server
from sk_supervisor._session.session import Session
from sk_supervisor._supervisor.transport import Transport, scope_of
from sk_supervisor._worker.pulse import Pulse
from supervisor_harness import left_since, settings, threadless, threads

if TYPE_CHECKING:
    from sk_config import ControlConfig


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = threads()
    yield
    assert left_since(before) == set()


def inline(target: Path) -> Any:
    return build_config(settings(target, mode="inline", groups=()))


def test_a_run_cannot_start_and_says_so(target: Path, run_dir: Path) -> None:
    said = io.StringIO()
    entries = set(run_dir.iterdir())
    with threadless():
        assert run(inline(target), stderr=said) == 3
    assert "can't start new thread" in said.getvalue()
    assert set(run_dir.iterdir()) <= entries  # what others left there may be swept
    assert target.read_text() == "old\n"


def test_the_memory_profile_fails_to_start_where_requests_have_no_thread(target: Path) -> None:
    supervisor = LocalBootstrapSupervisor(prepare(inline(target)), "r1", LifecycleLog("r1"))
    supervisor.start_groups([])
    with threadless(), pytest.raises(RuntimeLifecycleReadyError, match="can't start new thread"):
        supervisor.run()
    supervisor.shutdown()
    assert target.read_text() == "old\n"


class Starved(Session):
    """Its control server gets the last thread that the system has."""

    opened: ClassVar[list[tuple[str, int]]] = []

    def _control_server(self, control: ControlConfig) -> ControlServer:
        server = super()._control_server(control)
        host, _, port = server.address.rpartition(":")
        self.opened[:] = [self.hub.address, (host, int(port))]
        threading.stack_size(2**50)
        return server


def test_a_hub_without_threads_is_no_session_and_both_ports_are_closed(target: Path) -> None:
    log = LifecycleLog("r1")
    scope = scope_of(Transport("tcp_local", Starved))
    prepared = prepare(build_config(settings(target)))
    supervisor = MultiprocessBootstrapSupervisor(prepared, "r1", log, scope=scope)
    try:
        with pytest.raises(RuntimeLifecycleReadyError, match=r"start new thread: .* \(ulimit -u; "):
            supervisor.start_groups(["in"])
    finally:
        threading.stack_size(0)
    assert len(Starved.opened) == 2
    for address in Starved.opened:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=10)
    supervisor.shutdown()


def test_probes_have_no_listener(target: Path) -> None:
    supervisor = LocalBootstrapSupervisor(prepare(inline(target)), "r1", LifecycleLog("r1"))
    checks = HealthChecks(supervisor.snapshot, (), None)
    config = HealthConfig(http=HealthListenerConfig())
    with (
        threadless(),
        pytest.raises(HealthBindError, match="can't start new thread"),
        health_server(config, checks),
    ):
        pass


def test_a_worker_has_no_pulse_and_can_end() -> None:
    pulse = Pulse(
        lambda _: None,
        progress=lambda: Progress(group="a"),
        waiting=lambda: 0,
        heartbeat_seconds=1.0,
    )
    with threadless(), pytest.raises(OSError, match="can't start new thread"):
        pulse.start()
    pulse.stop()


def test_a_service_fails(target: Path) -> None:
    refused = pytest.raises(ServiceFailedError, match="can't start new thread")
    with threadless(), refused, serve(inline(target)):
        pass
