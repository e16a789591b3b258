"""The supervisor of the memory profile: the same lifecycle without a process."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel import AdapterFailedError, NodeFailedError
from sk_observability import LifecycleLog
from sk_supervisor import (
    ApplicationExitError,
    LocalBootstrapSupervisor,
    RuntimeLifecycleReadyError,
    prepare,
)
from sk_supervisor._memory.stop_thread import StopThread
from sk_supervisor._system.threads import tell_left_behind
from supervisor_harness import (
    PATIENCE,
    Ears,
    expected,
    gone,
    left_since,
    meanwhile,
    settings,
    threads,
)

#: A process at the end of a run in memory whose node has left another process; then a SIGTERM.
LEFT = """
import multiprocessing, signal, sys, time
from sk_supervisor._system.last_code import LastCode
from sk_supervisor._system.threads import tell_left_behind

last = LastCode()
last.hold()
process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,), name="mine")
process.start()
print(process.pid, flush=True)
tell_left_behind(sys.stderr)
last.settle(7)
signal.raise_signal(signal.SIGTERM)
process.join()
"""


#: An application whose one service notes that it was closed.
CLOSED = """
from collections.abc import Iterator
import msgspec
from sk_kernel import node, service, sink, source
CLOSED = []
class Number(msgspec.Struct):
    n: int
class Text(msgspec.Struct):
    text: str
@service
class Client:
    def close(self) -> None: CLOSED.append("client")
@source
def numbers() -> Iterator[Number]:
    yield Number(1)
@node
async def described(number: Number, client: Client) -> Text: return Text(str(number.n))
@sink
def out(text: Text) -> None: ...
"""


class Local:
    """A local supervisor of the test application, with its events."""

    def __init__(self, target: Path, **changes: Any) -> None:
        configuration = settings(target, mode="inline", groups=(), **changes)
        self.log = LifecycleLog("r1")
        self.supervisor = LocalBootstrapSupervisor(
            prepare(build_config(configuration)), "r1", self.log
        )

    def ready(self) -> LocalBootstrapSupervisor:
        self.supervisor.start_groups([])
        assert self.supervisor.wait_ready(1)
        return self.supervisor

    def names(self) -> list[str]:
        return [event.name for event in self.log.events()]


@pytest.mark.contract("IPC-INT-01", "BOOT-API-01")
def test_a_run_goes_through_the_whole_lifecycle_in_the_group_memory(target: Path) -> None:
    local = Local(target)
    report = local.ready().run()
    assert (report.profile, report.outcome, report.records_in) == ("memory", "completed", 20)
    assert local.supervisor.partial_outputs() == ()
    assert local.supervisor.shutdown() == "stop"
    assert local.supervisor.shutdown() == "none"
    assert local.names() == [
        "supervisor_start_groups",
        "worker_spawned",
        "worker_ready",
        "supervisor_wait_ready",
        "supervisor_start_workload",
        "worker_running",
        "supervisor_graceful_stop",
        "worker_stopping",
        "worker_stopped",
    ]
    assert local.log.events()[0].fields == {"groups": "memory"}
    assert {e.group for e in local.log.events() if e.worker} == {"memory"}
    assert target.read_text().splitlines() == expected(20)


@pytest.mark.contract("P5PRE-SUP-07")
def test_its_one_worker_is_this_process(target: Path) -> None:
    local = Local(target)
    [worker] = local.ready().snapshot().group("memory").workers
    assert worker.os_pid == worker.pid == os.getpid()
    assert (worker.alive, worker.ready, worker.state) == (True, True, "ready")
    local.supervisor.shutdown()


@pytest.mark.parametrize(
    "faults",
    [{"work": {"born": "raise"}}, {"source": {"fails": "open"}}, {"sink": {"fails": "open"}}],
)
@pytest.mark.contract("BOOT-API-03")
def test_what_fails_a_start_over_processes_fails_it_here_alike(
    target: Path, faults: dict[str, Any]
) -> None:
    local = Local(target, **faults)
    with pytest.raises(RuntimeLifecycleReadyError) as caught:
        local.ready().run()
    assert (caught.value.category, caught.value.exit_code) == ("start", 3)
    [failed] = [e for e in local.log.events() if e.name == "worker_failed"]
    assert failed.fields["category"] == "start"
    local.supervisor.shutdown()
    assert target.read_text() == "old\n"


def test_a_node_that_raises_fails_the_run_with_its_name(target: Path) -> None:
    local = Local(target, work={"at": 5, "do": "raise"})
    with pytest.raises(NodeFailedError):
        local.ready().run()
    [failed] = [e for e in local.log.events() if e.name == "worker_failed"]
    assert (failed.fields["category"], failed.fields["node"]) == ("execution", "work")
    assert "bad record" not in str(failed.fields)
    assert local.supervisor.partial_outputs() == (str(target.with_suffix(".partial")),)
    local.supervisor.shutdown()
    assert target.read_text() == "old\n"


@pytest.mark.parametrize("fault", ["write", "commit"])
def test_a_sink_that_raises_leaves_the_old_output(target: Path, fault: str) -> None:
    local = Local(target, sink={"fails": fault})
    with pytest.raises(AdapterFailedError):
        local.ready().run()
    local.supervisor.shutdown()
    assert target.read_text() == "old\n"


def test_a_node_that_calls_sys_exit_does_not_end_as_if_all_were_well(target: Path) -> None:
    local = Local(target, work={"at": 5, "do": "system_exit"})
    with pytest.raises(ApplicationExitError) as caught:
        local.ready().run()
    assert caught.value.exit_code == 4
    assert "supervised_deeds.py, line " in str(caught.value)
    local.supervisor.shutdown()
    assert target.read_text() == "old\n"


@pytest.mark.contract("PROC-02")
def test_a_stop_drains_what_was_read(target: Path, ears: Ears) -> None:
    local = Local(target, source={"then": "wait", "ears": ears.port})
    supervisor = local.ready()

    def stop() -> None:
        ears.hear("open")
        ears.hear("waiting")
        supervisor.request_stop("test")

    with meanwhile(stop):
        report = supervisor.run()
    assert (report.outcome, report.records_in, report.records_out) == ("stopped", 20, 19)
    assert report.partial_outputs
    supervisor.shutdown()
    assert target.read_text() == "old\n"


def test_a_stop_before_the_start_is_not_lost_and_no_thread_is_left(target: Path) -> None:
    before = threads()
    local = Local(target)
    local.supervisor.request_stop("early")
    assert local.supervisor.snapshot().stop_reasons == ("early",)
    assert not left_since(before)
    supervisor = local.ready()
    supervisor.shutdown()
    assert not left_since(before)


def test_a_start_that_no_run_follows_closes_its_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed_app.py").write_text(CLOSED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "closed_app", raising=False)
    configuration = {
        "version": 1,
        "scenario": "closed",
        "runtime": {"discovery_modules": ["closed_app"]},
        "adapters": {"source": {"name": "numbers"}, "sink": {"name": "out"}},
    }
    prepared = prepare(build_config(configuration))
    supervisor = LocalBootstrapSupervisor(prepared, "r1", LifecycleLog("r1"))
    supervisor.start_groups([])
    supervisor.shutdown()
    supervisor.shutdown()
    assert sys.modules["closed_app"].CLOSED == ["client"]


def test_a_keyboard_interrupt_that_nobody_has_typed_is_the_applications(target: Path) -> None:
    local = Local(target, work={"at": 5, "do": "keyboard_interrupt"})
    local.ready()
    caught: list[BaseException] = []

    def work() -> None:
        try:
            local.supervisor.run()
        except BaseException as error:  # noqa: BLE001 - that is what is looked at
            caught.append(error)

    thread = threading.Thread(target=work)  # where no Ctrl-C comes
    thread.start()
    thread.join()
    [error] = caught
    assert isinstance(error, ApplicationExitError)
    assert error.raised == "KeyboardInterrupt"
    assert isinstance(error.__cause__, KeyboardInterrupt)
    local.supervisor.shutdown()


def test_a_node_that_calls_sys_exit_while_it_is_made_fails_the_start(target: Path) -> None:
    local = Local(target, work={"born": "system_exit"})
    with pytest.raises(RuntimeLifecycleReadyError, match="__init__ raised SystemExit"):
        local.ready()
    local.supervisor.shutdown()


def test_a_stop_that_does_not_return_is_left_behind() -> None:
    begun, gate = threading.Event(), threading.Event()

    def stop() -> None:
        begun.set()
        gate.wait()

    thread = StopThread(stop)
    thread.start()
    thread.request("test", force=False)
    begun.wait()
    thread.close()
    left = [each for each in threading.enumerate() if each.name == "stop"]
    gate.set()
    assert len(left) == 1


def test_processes_that_the_end_of_a_process_waits_for_are_told_by_name_and_go_with_it() -> None:
    """A signal behind the end of the run ends the wait: with the code of the run, and with them."""
    found = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True, timeout=60)
    said, pid = found.stderr.splitlines()[0], int(found.stdout)
    assert said == f"waiting for processes that nodes have left: mine (pid {pid}); Ctrl-C ends it"
    assert found.returncode == 7
    assert gone([pid], within=PATIENCE)


def test_threads_that_the_end_of_a_process_waits_for_are_told_by_name() -> None:
    gate, before, behind = threading.Event(), io.StringIO(), io.StringIO()
    thread = threading.Thread(target=gate.wait, name="of a node")
    thread.start()
    tell_left_behind(before)
    gate.set()
    thread.join()
    tell_left_behind(behind)
    assert "nodes have left: " in before.getvalue()
    assert "of a node" in before.getvalue()
    assert "of a node" not in behind.getvalue()
