"""Transport and lifecycle services come by injection: from a scope of each process's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import scoped_child
from sk_config import build_config
from sk_kernel.runtime import Container, MemoryRun
from sk_observability import LifecycleLog
from sk_supervisor import (
    LocalBootstrapSupervisor,
    MultiprocessBootstrapSupervisor,
    RuntimeLifecycleResolutionError,
    prepare,
)
from sk_supervisor._memory.supervisor import IN_PROCESS
from sk_supervisor._processes import spawn
from sk_supervisor._session.session import Session
from sk_supervisor._supervisor.multiprocess import TCP_LOCAL
from sk_supervisor._supervisor.transport import Transport, scope_of
from sk_supervisor._worker.main import Worker
from supervisor_harness import APPS, GROUPS, PATIENCE, expected, settings, supervised, written


def local(target: Path, scope: Container | None) -> LocalBootstrapSupervisor:
    prepared = prepare(build_config(settings(target, mode="inline", groups=())))
    return LocalBootstrapSupervisor(prepared, "r1", LifecycleLog("r1"), scope=scope)


def multiprocess(
    target: Path, log: LifecycleLog, scope: Container | None
) -> MultiprocessBootstrapSupervisor:
    prepared = prepare(build_config(settings(target)))
    return MultiprocessBootstrapSupervisor(prepared, "r1", log, scope=scope)


@pytest.mark.contract("PROC-INT-06")
def test_a_supervisor_without_its_binding_is_refused(target: Path) -> None:
    with pytest.raises(RuntimeLifecycleResolutionError, match="Transport"):
        local(target, Container())
    with pytest.raises(RuntimeLifecycleResolutionError, match="Transport"):
        multiprocess(target, LifecycleLog("r1"), Container())


@pytest.mark.contract("IPC-INT-09", "IPC-INT-12", "IPC-INT-01")
def test_in_memory_the_run_itself_is_what_the_bound_transport_opens(target: Path) -> None:
    opened: list[MemoryRun] = []

    def opening(*arguments: Any, **options: Any) -> MemoryRun:
        opened.append(MemoryRun(*arguments, **options))
        return opened[-1]

    supervisor = local(target, scope_of(Transport("memory", opening)))
    supervisor.start_groups([])
    assert supervisor.wait_ready(1)
    report = supervisor.run()
    supervisor.shutdown()
    assert len(opened) == 1
    assert (report.profile, report.records_in) == ("memory", 20)
    assert target.read_text().splitlines() == expected(20)
    assert (IN_PROCESS.name, IN_PROCESS.open) == ("memory", MemoryRun)


@pytest.mark.contract("IPC-INT-10", "IPC-INT-11", "IPC-INT-02", "IPC-INT-04")
def test_over_processes_queues_and_channels_are_those_that_the_bound_transport_opens(
    target: Path,
) -> None:
    opened: list[Session] = []

    def opening(*arguments: Any, **options: Any) -> Session:
        opened.append(Session(*arguments, **options))
        return opened[-1]

    log = LifecycleLog("r1", level="debug")
    supervisor = multiprocess(target, log, scope_of(Transport("tcp_local", opening)))
    try:
        supervisor.start_groups([g["name"] for g in GROUPS])
        assert supervisor.wait_ready(PATIENCE)
        supervisor.run()
    finally:
        supervisor.shutdown()
    [session] = opened
    [listening] = [e for e in log.events() if e.name == "supervisor_listening"]
    assert listening.fields == session.addresses()
    assert target.read_text().splitlines() == expected(20)
    assert (TCP_LOCAL.name, TCP_LOCAL.open) == ("tcp_local", Session)


@pytest.mark.contract("PROC-01", "PROC-INT-01")
def test_the_services_of_a_run_are_there_before_any_worker_and_in_the_same_order_always(
    target: Path,
) -> None:
    orders = []
    for _ in range(2):
        log = LifecycleLog("r1", level="debug")
        supervisor = multiprocess(target, log, None)
        try:
            supervisor.start_groups([g["name"] for g in GROUPS])
            assert supervisor.wait_ready(PATIENCE)
        finally:
            supervisor.shutdown()
        orders.append(
            [
                (e.name, e.worker)
                for e in log.events()
                if e.name in ("supervisor_start_groups", "supervisor_listening", "worker_spawned")
            ]
        )
    assert orders[0] == orders[1]
    assert orders[0] == [
        ("supervisor_start_groups", None),
        ("supervisor_listening", None),
        ("worker_spawned", "in-0.1"),
        ("worker_spawned", "mid-0.1"),
        ("worker_spawned", "out-0.1"),
    ]


@pytest.mark.contract("CHILD-BOOT-02")
def test_a_worker_opens_both_planes_by_what_is_bound_in_its_own_scope(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_CHILD", Path(scoped_child.__file__))
    with supervised(target) as run:
        run.ready()
        run.supervisor.run()
        run.supervisor.shutdown()
        opened = sorted(line for line in run.lines if line.endswith("from the given scope"))
    planes = [f"{plane} opened from the given scope" for plane in ("control", "data")]
    assert opened == sorted(planes * len(GROUPS))
    assert target.read_text().splitlines() == expected(20)


@pytest.mark.contract("CHILD-BOOT-02", "PROC-INT-06")
def test_a_worker_without_its_binding_is_refused_before_it_touches_anything() -> None:
    ears = signal.getsignal(signal.SIGTERM)
    with pytest.raises(RuntimeLifecycleResolutionError, match="Planes"):
        Worker({}, Container())
    assert signal.getsignal(signal.SIGTERM) is ears


#: Runs the configuration that is its argument, and prints the modules of the transport then.
MEMORY_RUN = """
import sys
from sk_config import load_config
from sk_supervisor import run
code = run(load_config(sys.argv[1]))
roots = "grpc", "sk_control", "sk_transport", "sk_supervisor._hub", "sk_supervisor._session.session"
print(code, [m for m in sys.modules if m.startswith(roots)])
"""


@pytest.mark.contract("IPC-INT-01", "IPC-INT-12")
@pytest.mark.parametrize(("work", "code"), [({}, 0), ({"at": 5, "do": "raise"}, 4)])
def test_a_memory_run_imports_nothing_of_the_transport(
    target: Path, tmp_path: Path, work: dict[str, Any], code: int
) -> None:
    """In an interpreter of its own, whether it completes or fails."""
    configuration = written(tmp_path, settings(target, mode="inline", groups=(), work=work))
    said = subprocess.run(
        [sys.executable, "-c", MEMORY_RUN, configuration],
        env=os.environ | {"PYTHONPATH": str(APPS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines()[-1] == f"{code} []", said.stdout + said.stderr
