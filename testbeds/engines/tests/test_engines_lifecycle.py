"""How a run starts, is seen and stops, on every engine."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from contract_engines import Engine
from engine_commands import Told
from engine_configuration import OLD, PARTS, PATIENCE, RUN_ID, configuration, expected, places
from engine_supervised import Seen, held, late, supervised
from sk_config import build_config
from sk_kernel.runtime import Container
from sk_observability import LifecycleLog
from sk_supervisor import (
    LocalBootstrapSupervisor,
    MultiprocessBootstrapSupervisor,
    RuntimeLifecycleReadyError,
    RuntimeLifecycleResolutionError,
    prepare,
)

WORKER = ["worker_spawned", "worker_ready", "worker_running", "worker_stopping", "worker_stopped"]


def workers_of(engine: Engine) -> list[str]:
    """The workers of their first incarnation, in the order of the configuration."""
    groups = engine.groups(PARTS)
    return [
        f"{group['name']}-{index}.1" for group in groups for index in range(group.get("workers", 1))
    ]


def made(
    engine: Engine, folder: Path, scope: Container
) -> LocalBootstrapSupervisor | MultiprocessBootstrapSupervisor:
    kind = MultiprocessBootstrapSupervisor if engine.in_processes else LocalBootstrapSupervisor
    prepared = prepare(build_config(configuration(engine, folder)))
    return kind(prepared, RUN_ID, LifecycleLog(RUN_ID), scope=scope)


class Binding(Container):
    """A scope whose transport cannot be opened, and which counts the attempts."""

    opened = 0

    def resolve(self, wanted: type, owner: str = "") -> Any:
        """The transport: nothing else is asked for."""
        assert wanted.__name__ == "Transport"
        return SimpleNamespace(name="none", open=self._refuse)

    def _refuse(self, *arguments: Any, **options: Any) -> Any:
        self.opened += 1
        raise OSError("no transport today")


def opens_what_is_bound(engine: Engine, folder: Path) -> None:
    binding = Binding()
    supervisor = made(engine, folder, binding)
    names = [group["name"] for group in engine.groups(PARTS)] or ["memory"]
    try:
        with pytest.raises(RuntimeLifecycleReadyError, match="no transport today"):
            supervisor.start_groups(names)
    finally:
        supervisor.shutdown()
    assert binding.opened == 1


# ---- made ----------------------------------------------------------------------------------------


@pytest.mark.contract("PROC-INT-06")
def test_a_supervisor_without_its_services_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(RuntimeLifecycleResolutionError, match="Transport"):
        made(engine, tmp_path, Container())


@pytest.mark.contract("IPC-INT-09")
def test_in_memory_the_bound_transport_is_opened_and_no_other(
    engine: Engine, tmp_path: Path
) -> None:
    opens_what_is_bound(engine, tmp_path)


@pytest.mark.contract("IPC-INT-10")
def test_over_processes_the_bound_transport_is_opened_and_no_other(
    engine: Engine, tmp_path: Path
) -> None:
    opens_what_is_bound(engine, tmp_path)


@pytest.mark.contract("IPC-INT-02", "IPC-INT-04")
def test_the_framework_alone_brings_the_secure_transport_up(done: Told) -> None:
    [listening] = done.named("supervisor_listening")
    for plane in ("data", "control"):
        assert listening["fields"][plane].startswith("127.0.0.1:")


@pytest.mark.contract("IPC-INT-01", "IPC-INT-12")
def test_in_memory_the_caller_does_the_work_and_nothing_listens(done: Told, drained: Seen) -> None:
    assert done.named("supervisor_listening") == []
    assert {worker.os_pid for worker in drained.status["running"].workers()} == {os.getpid()}


# ---- started -------------------------------------------------------------------------------------


@pytest.mark.contract("BOOT-API-01", "PROC-INT-05")
def test_the_lifecycle_wraps_the_run(drained: Seen) -> None:
    steps = [
        "supervisor_start_groups",
        "supervisor_wait_ready",
        "supervisor_start_workload",
        "supervisor_graceful_stop",
    ]
    assert [event.name for event in drained.events if event.name in steps] == steps


@pytest.mark.contract("PROC-01", "PROC-INT-01")
def test_services_are_there_before_the_first_worker(done: Told) -> None:
    [listening] = done.at("supervisor_listening")
    assert done.at("supervisor_start_groups") < [listening] < done.at("worker_spawned")


@pytest.mark.contract("BOOT-API-02")
def test_groups_start_in_the_order_of_the_configuration(done: Told, engine: Engine) -> None:
    assert [event["worker"] for event in done.named("worker_spawned")] == workers_of(engine)


@pytest.mark.contract("PROC-INT-02", "P5PRE-EXEC-04")
def test_no_source_is_read_before_every_group_is_ready(engine: Engine, tmp_path: Path) -> None:
    seen, first_read = late(engine, tmp_path)
    assert seen.outcome == "completed"
    assert first_read > seen.ready_at


@pytest.mark.contract("PROC-INT-02", "P5PRE-EXEC-04")
def test_nobody_works_before_everybody_is_ready(drained: Seen) -> None:
    ready = max(event.sequence for event in drained.named("worker_ready"))
    assert ready < min(event.sequence for event in drained.named("worker_running"))
    assert {worker.records_in for worker in drained.status["ready"].workers()} == {0}


@pytest.mark.contract("PROC-INT-07")
def test_a_worker_that_cannot_be_ready_is_the_deterministic_error(refused: Seen) -> None:
    assert isinstance(refused.error, RuntimeLifecycleReadyError)
    [*_, failed] = refused.named("worker_failed")
    assert failed.worker in refused.error.workers
    assert (refused.folder / "out.txt").read_text() == OLD


@pytest.mark.contract("BOOT-API-03")
def test_a_failed_start_has_its_category_and_its_exit_code(refused: Seen) -> None:
    assert isinstance(refused.error, RuntimeLifecycleReadyError)
    assert (refused.error.category, refused.error.exit_code) == ("start", 3)
    assert {event.fields["category"] for event in refused.named("worker_failed")} == {"start"}


@pytest.mark.contract("P5PRE-READY-02")
def test_nobody_starts_to_work_before_the_gate_opens(done: Told) -> None:
    assert max(done.at("worker_ready")) < min(done.at("worker_running"))


@pytest.mark.contract("P5PRE-SUP-02", "P5PRE-READY-02")
def test_workers_that_are_late_fail_the_start_and_nothing_runs_in_their_place(
    engine: Engine, tmp_path: Path
) -> None:
    late: dict[str, Any] = {"weigh": {"born": "block"}, "group": {"start_timeout_seconds": 1}}
    with supervised(engine, tmp_path, **late) as seen:
        assert seen.supervisor.wait_ready(0) is False
        seen.supervisor.start_groups(seen.groups)
        assert seen.supervisor.wait_ready(0.01) is False
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            seen.supervisor.wait_ready(PATIENCE)
        assert caught.value.category == "timeout"
        assert seen.supervisor.wait_ready(-1) is False
        assert seen.named("worker_running") == []
    assert (tmp_path / "out.txt").read_text() == OLD


# ---- seen ----------------------------------------------------------------------------------------


@pytest.mark.contract("P5PRE-SUP-01", "P5PRE-SUP-05")
def test_every_worker_is_a_live_process_of_its_own(drained: Seen, engine: Engine) -> None:
    assert type(drained.supervisor) is MultiprocessBootstrapSupervisor
    running = drained.status["running"]
    assert [worker.worker_id for worker in running.workers()] == workers_of(engine)
    pids = {worker.os_pid for worker in running.workers()}
    assert drained.living == pids
    assert len(pids) == len(workers_of(engine))
    assert os.getpid() not in pids


@pytest.mark.contract("P5PRE-SUP-07")
def test_the_snapshot_says_what_every_worker_is(drained: Seen, engine: Engine) -> None:
    told = {
        moment: {(w.alive, w.ready, w.state) for w in drained.status[moment].workers()}
        for moment in ("ready", "running", "stopped")
    }
    assert told["ready"] == {(True, True, "ready")}
    assert told["running"] == {(True, True, "running")}
    assert {state for _, _, state in told["stopped"]} == {"stopped"}
    assert drained.status["running"].profile == engine.profile
    events = drained.supervisor.lifecycle_events()
    assert all(before.sequence < after.sequence for before, after in pairwise(events))


@pytest.mark.contract("P5PRE-READY-01")
def test_a_run_is_ready_once_the_gate_is_open_and_not_once_it_begins_to_drain(
    drained: Seen,
) -> None:
    moments = ("ready", "running", "draining", "worked", "stopped")
    assert [drained.status[each].ready for each in moments] == [False, True, False, False, False]
    assert {worker.state for worker in drained.status["draining"].workers()} == {"running"}


@pytest.mark.contract("P5PRE-SUP-06")
def test_every_event_of_a_worker_goes_through_the_logging_rails(done: Told, raised: Told) -> None:
    assert {event["worker"] for event in done.events if event["worker"]}
    for worker in {event["worker"] for event in done.events if event["worker"]}:
        own = [event["event"] for event in done.events if event["worker"] == worker]
        assert [name for name in own if name in WORKER] == WORKER
    assert len(raised.named("worker_failed")) == 1


@pytest.mark.contract("P5PRE-LOG-01")
def test_every_checkpoint_has_its_event(done: Told, crashed: Seen, forced: Seen) -> None:
    told = {event["event"] for event in done.events}
    told |= {event.name for seen in (crashed, forced) for event in seen.events}
    assert told >= {
        *WORKER,
        "worker_bootstrap_loaded",
        "worker_failed",
        "supervisor_start_groups",
        "supervisor_wait_ready",
        "supervisor_start_workload",
        "supervisor_graceful_stop",
        "supervisor_force_stop",
    }


@pytest.mark.contract("P5PRE-LOG-02")
def test_only_events_of_the_level_asked_for_are_exported(done: Told, raised: Told) -> None:
    assert {event["level"] for event in done.events} == {"info", "debug"}
    assert {event["level"] for event in raised.events} == {"info", "error"}


# ---- stopped -------------------------------------------------------------------------------------


@pytest.mark.contract("PROC-02", "PROC-INT-03")
def test_a_stop_in_full_flow_drains_what_was_read(drained: Seen) -> None:
    assert drained.outcome == "stopped"
    lines = drained.partial()
    assert lines == expected(len(lines))
    [first, *_] = drained.status["stopped"].workers()
    assert len(lines) in (first.records_in, first.records_out)
    assert (drained.folder / "out.txt").read_text() == OLD


@pytest.mark.contract("STOP-IPC-01", "P5PRE-SUP-03")
def test_a_graceful_stop_forces_nothing(drained: Seen) -> None:
    assert drained.rung == "stop"
    assert {event.fields["mode"] for event in drained.named("worker_stopped")} == {"graceful"}
    assert {worker.state for worker in drained.status["stopped"].workers()} == {"stopped"}
    assert drained.named("supervisor_force_stop") == []


@pytest.mark.contract("P5PRE-LIFE-01")
def test_groups_drain_source_first_and_sink_last(engine: Engine, tmp_path: Path) -> None:
    """While a node is held, its group and those behind it have not drained; those before have."""
    seen, while_held = held(engine, tmp_path)
    groups = [group["name"] for group in engine.groups(PARTS)]
    at = groups.index(places(engine)["weigh"])
    own = [worker for worker in workers_of(engine) if worker.startswith(f"{groups[at]}-")]
    assert set(while_held) >= set(groups[:at])
    assert not set(while_held) & set(groups[at + 1 :])
    assert while_held.count(groups[at]) < len(own)
    assert len(seen.named("worker_drained")) == len(workers_of(engine))


@pytest.mark.contract("P5PRE-LIFE-01")
def test_groups_are_asked_to_stop_source_first_and_sink_last(drained: Seen, engine: Engine) -> None:
    assert [event.worker for event in drained.named("worker_spawned")] == workers_of(engine)
    assert [event.worker for event in drained.named("worker_stopping")] == workers_of(engine)
    over = [event.sequence for event in drained.named("worker_drained")]
    assert len(over) == len(workers_of(engine))
    assert max(over) < min(event.sequence for event in drained.named("worker_stopping"))


@pytest.mark.contract("STOP-IPC-02", "P5PRE-SUP-04")
def test_a_stop_that_takes_too_long_ends_by_force(forced: Seen) -> None:
    assert isinstance(forced.error, TimeoutError)
    assert forced.rung in ("terminate", "kill")
    assert len(forced.named("supervisor_force_stop")) == 1
    stopped = forced.status["stopped"].workers()
    assert {(worker.state, worker.alive) for worker in stopped} == {("stopped", False)}


@pytest.mark.contract("STOP-IPC-03")
def test_a_group_tells_of_its_stop_once_with_the_mode_that_really_happened(
    drained: Seen, forced: Seen, engine: Engine
) -> None:
    for seen, mode in ((drained, "graceful"), (forced, "forced")):
        told: dict[Any, Any] = {e.group: e.fields["mode"] for e in seen.named("group_stopped")}
        assert sorted(map(str, (event.group for event in seen.named("group_stopped")))) == sorted(
            group["name"] for group in engine.groups(PARTS)
        )
        harmed = "all" if engine.name == "one_group" else "work"
        assert told[harmed] == mode
