"""Workers and application code that fail: what the supervisor makes of it, on real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_supervisor import (
    RunRefusedError,
    RuntimeLifecycleReadyError,
    RuntimeWorkerFailedError,
    prepare,
)
from supervisor_harness import (
    GROUPS,
    MIDDLE,
    PATIENCE,
    Ears,
    Supervised,
    gone,
    settings,
    supervised,
)

FAULT_BOUND = 10.0


def fails(run: Supervised) -> RuntimeWorkerFailedError:
    """Run it, which must fail, and shut it down within the bound."""
    run.ready()
    began = time.monotonic()
    with pytest.raises(RuntimeWorkerFailedError) as caught:
        run.supervisor.run()
    run.supervisor.shutdown()
    assert time.monotonic() - began < FAULT_BOUND
    assert gone(run.pids())
    return caught.value


@pytest.mark.contract("PROC-03", "PROC-INT-04", "PROC-INT-08", "P5PRE-LIFE-03")
def test_a_worker_killed_in_mid_run_is_named_with_its_group_and_signal(target: Path) -> None:
    with supervised(target, work={"at": 5, "do": "kill"}) as run:
        error = fails(run)
        assert (error.category, error.group, error.worker) == ("crash", "mid", MIDDLE)
        assert error.ended == "signal SIGKILL"
        assert error.exit_code == 4
        assert str(error) == "worker mid-0.1 of group mid failed (crash): signal SIGKILL"
        [event] = run.events("worker_failed")
        assert event.worker == MIDDLE
        assert event.fields["ended"] == "signal SIGKILL"
        assert run.supervisor.partial_outputs() == (str(target.with_suffix(".partial")),)
    assert target.read_text() == "old\n"


@pytest.mark.contract("P5PRE-LIFE-03")
@pytest.mark.parametrize(
    ("do", "ended", "tail"),
    [
        ("exit", "exit code 7", ("last words",)),
        ("leave", "exit code 0", ()),
        ("shout", "exit code 1", ("line 4999", "caf\N{REPLACEMENT CHARACTER} and no end")),
    ],
)
def test_a_worker_that_ends_unasked_has_crashed_and_its_last_lines_are_kept(
    target: Path, do: str, ended: str, tail: tuple[str, ...]
) -> None:
    with supervised(target, work={"at": 5, "do": do}) as run:
        error = fails(run)
        assert (error.category, error.ended) == ("crash", ended)
        assert len(error.stderr_tail) <= 20
        assert set(tail) <= set(error.stderr_tail)
        assert all(f"\n  | {line}" in str(error) for line in tail)
        assert run.events("worker_stopped")[0].fields["mode"] in ("exited", "graceful")


def test_a_crash_in_c_code_shows_where_it_was(target: Path) -> None:
    with supervised(target, work={"at": 5, "do": "crash"}) as run:
        assert fails(run).ended == "signal SIGSEGV"
        assert "Fatal Python error: Segmentation fault" in run.lines


@pytest.mark.contract("P5PRE-HANDOFF-01")
def test_a_node_that_raises_is_named_with_its_cause_and_without_its_record(target: Path) -> None:
    with supervised(target, work={"at": 5, "do": "raise"}) as run:
        error = fails(run)
        assert (error.category, error.group, error.node) == ("execution", "mid", "work")
        assert error.cause_type == "ValueError"
        assert error.message == "node 'work' raised ValueError on record 5"
        assert "bad record" not in str(error)
        assert any("ValueError: bad record 5" in line for line in run.lines)
        fields = run.events("worker_failed")[0].fields
        assert (fields["node"], fields["cause_type"]) == ("work", "ValueError")
        assert "bad record" not in str(fields)
    assert target.read_text() == "old\n"
    assert target.with_suffix(".partial").read_text() == "aborted\n"


@pytest.mark.parametrize(
    ("where", "fault", "worker", "node"),
    [
        ("source", "read", "in-0.1", "source:source"),
        ("source", "close", "in-0.1", "source:source"),
        ("sink", "write", "out-0.1", "sink:sink"),
        ("sink", "commit", "out-0.1", "sink:sink"),
    ],
)
def test_an_adapter_that_raises_ends_the_run_and_leaves_the_old_output(
    target: Path, where: str, fault: str, worker: str, node: str
) -> None:
    faulty: dict[str, Any] = {where: {"fails": fault}}
    with supervised(target, **faulty) as run:
        error = fails(run)
        assert (error.category, error.worker, error.node) == ("execution", worker, node)
        assert error.cause_type == "ValueError"
        if fault in ("read", "write"):
            assert "secret" not in str(error)
    assert target.read_text() == "old\n"
    assert target.with_suffix(".partial").read_text().endswith("aborted\n")


@pytest.mark.parametrize("where", ["source", "sink"])
@pytest.mark.contract("BOOT-API-03")
def test_an_adapter_that_cannot_be_opened_fails_the_start(target: Path, where: str) -> None:
    faulty: dict[str, Any] = {where: {"fails": "open"}}
    with supervised(target, **faulty) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError, match="failed to open") as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert (caught.value.category, caught.value.exit_code) == ("start", 3)


@pytest.mark.parametrize(
    ("do", "cause", "says"),
    [
        ("surrogate", "NodeOutputError", "MessagePack cannot carry"),
        ("huge", "RecordTooLargeError", "max_payload_bytes"),
    ],
)
def test_a_record_that_cannot_travel_names_the_node_that_made_it(
    target: Path, do: str, cause: str, says: str
) -> None:
    with supervised(target, work={"at": 5, "do": do}, ipc={"max_payload_bytes": 100_000}) as run:
        error = fails(run)
        assert (error.category, error.node, error.cause_type) == ("execution", "tally_up", cause)
        assert says in str(error)


def test_a_node_that_calls_sys_exit_fails_the_run(target: Path) -> None:
    with supervised(target, work={"at": 5, "do": "system_exit"}) as run:
        error = fails(run)
        assert (error.category, error.cause_type) == ("execution", "ApplicationExitError")


def test_a_source_that_calls_sys_exit_fails_the_run(target: Path) -> None:
    with supervised(target, source={"fails": "exit"}) as run:
        assert fails(run).cause_type == "ApplicationExitError"


@pytest.mark.contract("P5PRE-LIFE-02")
@pytest.mark.parametrize("do", ["freeze"])
def test_a_worker_that_falls_silent_is_failed_after_three_heartbeats(target: Path, do: str) -> None:
    with supervised(target, work={"at": 5, "do": do}, every_group={"heartbeat_seconds": 1}) as run:
        error = fails(run)
        assert (error.category, error.worker, error.ended) == ("heartbeat", MIDDLE, "")
        assert error.message.startswith("no heartbeat for 3.")
        # Stopped by SIGSTOP, it takes nothing but SIGKILL.
        stopped = {e.worker: e.fields for e in run.events("worker_stopped")}
        assert stopped[MIDDLE]["mode"] == "forced"
        assert stopped[MIDDLE]["ended"] == "signal SIGKILL"


def test_what_a_worker_started_goes_with_it_and_what_escaped_holds_nothing_up(
    target: Path, ears: Ears
) -> None:
    found: dict[str, int] = {}

    def kill() -> None:
        heard = ears.hear("here")
        found.update(heard.facts)
        os.kill(heard.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with supervised(target, work={"at": 5, "do": "children", "ears": ears.port}) as run:
        try:
            fails(run)
            killer.join()
            assert gone([found["child"]])
            assert not gone([found["fugitive"]], within=0)
        finally:
            os.kill(found["fugitive"], signal.SIGKILL)


@pytest.mark.contract("BOOT-API-03", "P5PRE-SUP-02", "PROC-INT-07")
def test_a_worker_that_dies_before_its_hello_fails_the_start_at_once(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In front of everything on the module search path, which workers inherit.
    (tmp_path / "grpc.py").write_text("raise ImportError('no grpc today')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with supervised(target) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        error = caught.value
        assert (error.category, error.exit_code) == ("crash", 3)
        assert error.waited_seconds < FAULT_BOUND
        cause = error.__cause__
        assert isinstance(cause, RuntimeWorkerFailedError)
        assert cause.ended == "exit code 1"
        assert cause.stderr_tail[-1] == "ImportError: no grpc today"
        assert "no grpc today" in str(error)


@pytest.mark.contract("BOOT-API-03")
@pytest.mark.parametrize(
    ("kind", "category", "says"),
    [
        ("raise", "start", "ValueError: this module cannot be imported"),
        ("exit", "crash", "exit code 9\n  | about to leave"),
    ],
)
def test_a_module_that_breaks_in_the_worker_fails_the_start_at_once(
    target: Path, monkeypatch: pytest.MonkeyPatch, kind: str, category: str, says: str
) -> None:
    monkeypatch.setenv("SK_TEST_IMPORT", kind)
    with supervised(target, modules=("fragile_app", "supervised_app")) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert caught.value.category == category
        assert says in str(caught.value)


@pytest.mark.contract("BOOT-API-03")
def test_a_node_that_cannot_be_made_fails_the_start(target: Path) -> None:
    with supervised(target, work={"born": "raise"}) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert caught.value.category == "start"
        assert "work" in str(caught.value)


def test_a_span_exporter_that_cannot_be_opened_fails_the_start(
    target: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "spans"
    folder.mkdir()
    exporter = {"kind": "jsonl", "settings": {"path": str(folder / "spans.jsonl")}}
    with supervised(target, observability={"tracing": {"exporters": [exporter]}}) as run:
        folder.rmdir()  # behind the preflight, which has found it
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError, match=r"tracing\.exporters\[0\]") as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert caught.value.category == "start"


@pytest.mark.contract("P5PRE-SUP-02", "P5PRE-READY-02", "PROC-INT-07")
def test_a_worker_that_is_late_fails_the_start_by_its_own_timeout(target: Path, ears: Ears) -> None:
    late = [{**g, "start_timeout_seconds": 2 if g["name"] == "mid" else 60} for g in GROUPS]
    with supervised(target, work={"born": "wait", "ears": ears.port}, groups=late) as run:
        began = time.monotonic()
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        error = caught.value
        assert (error.category, error.workers) == ("timeout", (MIDDLE,))
        assert 2 <= time.monotonic() - began < FAULT_BOUND
        assert "not ready within 2 s" in str(error)


@pytest.mark.contract("P5PRE-SUP-02", "P5PRE-READY-02")
def test_the_wait_for_readiness_ends_with_its_own_time(target: Path, ears: Ears) -> None:
    with supervised(target, work={"born": "wait", "ears": ears.port}) as run:
        assert run.supervisor.wait_ready(0) is False
        run.start()
        ears.hear("born")
        assert run.supervisor.wait_ready(0.05) is False
        assert run.supervisor.wait_ready(-1) is False
        assert run.supervisor.shutdown() in ("stop", "kill")
        assert gone(run.pids(), within=0)


@pytest.mark.parametrize("plane", ["data", "control"])
@pytest.mark.contract("BOOT-API-03")
def test_a_port_in_use_fails_the_start_and_starts_nothing(
    target: Path, ears: Ears, plane: str
) -> None:
    ipc: dict[str, Any] = {"bind_port": ears.port}
    if plane == "control":
        ipc = {"control": {"transport": "tcp_local", "bind_port": ears.port}}
    with supervised(target, ipc=ipc) as run:
        with pytest.raises(RuntimeLifecycleReadyError, match=f"{ears.port}.*in use") as caught:
            run.start()
        assert caught.value.exit_code == 3
        assert run.pids() == []


def test_placement_faults_are_all_found_before_anything_starts(target: Path) -> None:
    groups = [
        {"name": "in", "nodes": ["source:source", "split", "tally_up"]},
        {"name": "mid", "nodes": ["work", "nobody"], "runners": ["counting"]},
        {"name": "idle", "stages": ["none_such"]},
    ]
    with pytest.raises(RunRefusedError) as caught:
        prepare(build_config(settings(target, groups=groups)))
    assert {f.category for f in caught.value.faults} == {
        "placed_twice",
        "unknown_node",
        "unplaced",
        "empty_group",
    }


def test_a_failure_behind_the_commit_changes_nothing(target: Path, ears: Ears) -> None:
    """The sink has put its output in place: the run is complete, whoever dies from there on."""
    with supervised(target, sink={"ears": ears.port}) as run:
        run.ready()
        victims = [w["os_pid"] for w in run.supervisor.snapshot()["mid"]]

        def kill() -> None:
            heard = ears.hear("committed")
            os.kill(victims[0], signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # the supervisor may be faster
                os.waitid(os.P_PID, victims[0], os.WEXITED | os.WNOWAIT)
            heard.let_go()

        killer = threading.Thread(target=kill)
        killer.start()
        report = run.supervisor.run()
        killer.join()
        assert report.outcome == "completed"
        assert run.supervisor.partial_outputs() == ()
    assert target.read_text() != "old\n"
