"""A run over real processes: its order, its output, its end, and what is left of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from sk_config import build_config
from sk_kernel import BootstrapSupervisor
from sk_observability import EventName
from sk_supervisor import (
    LocalBootstrapSupervisor,
    MultiprocessBootstrapSupervisor,
    RuntimeLifecycleResolutionError,
    prepare,
    run,
)
from supervisor_harness import (
    GROUPS,
    PATIENCE,
    Ears,
    expected,
    meanwhile,
    settings,
    supervised,
)

WORKERS = ("in-0.1", "mid-0.1", "out-0.1")
#: Of the supervisor. It may tell of more: where it listens, and where the machine held it up.
STEPS = [
    EventName.SUPERVISOR_START_GROUPS,
    EventName.SUPERVISOR_WAIT_READY,
    EventName.SUPERVISOR_START_WORKLOAD,
    EventName.SUPERVISOR_GRACEFUL_STOP,
]


@pytest.mark.contract("P5PRE-EXEC-01", "PLACEMENT-01", "PLACEMENT-03", "IPC-INT-02", "BOOT-API-01")
@pytest.mark.parametrize(
    ("count", "batch"),
    [
        (0, {}),
        (1, {}),
        (57, {"max_records": 3, "in_flight": 2}),
        (500, {"max_records": 7, "in_flight": 1}),
        (3000, {"max_bytes": 100}),
    ],
)
def test_the_output_is_that_of_the_memory_profile(
    target: Path, count: int, batch: dict[str, Any]
) -> None:
    for mode in ("process_supervisor", "inline"):
        groups = GROUPS if mode == "process_supervisor" else ()
        config = settings(
            target, mode=mode, groups=groups, source={"count": count}, platform={"batch": batch}
        )
        assert run(build_config(config), run_id="r1", quiet=True) == 0
        assert target.read_text().splitlines() == expected(count)
        assert not target.with_suffix(".partial").exists()


def test_a_group_may_be_both_before_and_behind_another(target: Path) -> None:
    groups = [
        {"name": "outer", "nodes": ["source:source", "split", "sink:sink"]},
        {"name": "inner", "stages": ["work"]},
    ]
    config = settings(target, groups=groups, source={"count": 500}, platform={"batch": SMALL})
    assert run(build_config(config), run_id="r1", quiet=True) == 0
    assert target.read_text().splitlines() == expected(500)


SMALL = {"max_records": 7, "in_flight": 2}


def test_a_batch_too_large_for_one_frame_arrives_in_parts(target: Path) -> None:
    ipc = {"max_payload_bytes": 200}
    with supervised(target, source={"count": 500}, ipc=ipc) as run:
        run.ready()
        assert run.supervisor.run().records_in == 500
    assert target.read_text().splitlines() == expected(500)


def test_what_came_to_each_worker_is_counted_apart_from_its_place_in_the_input(
    target: Path,
) -> None:
    """Of 100 numbers ten end in ``split``, and only the 50 odd ones come to a worker of ``mid``."""
    groups = [
        {"name": "in", "nodes": ["source:source", "split"]},
        {"name": "mid", "nodes": ["work"], "workers": 2},
        {"name": "out", "nodes": ["tally_up", "sink:sink"]},
    ]
    with supervised(target, groups=groups, source={"count": 100}, platform={"batch": SMALL}) as run:
        run.ready()
        assert run.supervisor.run().records_in == 100
        status = run.supervisor.snapshot()
    done = {w.worker_id: (w.records_in, w.records_out) for w in status.workers()}
    halves = [done["mid-0.1"], done["mid-1.1"]]
    assert (done["in-0.1"], sum(taken for taken, _ in halves)) == ((100, 90), 50)
    assert all(0 < taken == passed_on for taken, passed_on in halves)
    assert done["out-0.1"] == (90, 91)  # a total is added at the end
    assert {w.source_records for w in status.workers()} == {100}
    assert all(w.totals.records_in == w.records_in for w in status.workers())


@pytest.mark.contract("P5PRE-LIFE-01", "BOOT-API-02")
def test_the_events_tell_start_ready_run_and_stop_in_that_order(target: Path) -> None:
    with supervised(target) as run:
        run.ready()
        run.supervisor.run()
        assert run.supervisor.shutdown() == "stop"
        for worker in WORKERS:
            assert run.names(worker) == [
                EventName.WORKER_SPAWNED,
                EventName.WORKER_BOOTSTRAP_LOADED,
                EventName.WORKER_READY,
                EventName.WORKER_RUNNING,
                "worker_drained",
                EventName.WORKER_STOPPING,
                EventName.WORKER_STOPPED,
            ]
        assert [e.name for e in run.log.events() if e.name in STEPS] == STEPS
        spawned = [e.worker for e in run.events(EventName.WORKER_SPAWNED)]
        stopping = [e.worker for e in run.events(EventName.WORKER_STOPPING)]
        assert spawned == stopping == list(WORKERS)
        assert {e.correlation_id for e in run.supervisor.lifecycle_events()} == {"r1"}


@pytest.mark.contract("P5PRE-LIFE-01", "BOOT-API-02")
def test_the_order_of_the_configuration_is_the_order_of_the_start_and_not_of_the_stop(
    target: Path,
) -> None:
    with supervised(target, groups=GROUPS[::-1]) as run:
        run.start("out", "mid", "in")
        assert run.supervisor.wait_ready(PATIENCE)
        run.supervisor.run()
        run.supervisor.shutdown()
        assert [e.worker for e in run.events("worker_spawned")] == list(WORKERS[::-1])
        assert [e.worker for e in run.events("worker_stopping")] == list(WORKERS)


@pytest.mark.contract("P5PRE-LIFE-01")
def test_groups_drain_source_first_and_sink_last(target: Path, ears: Ears) -> None:
    """Each of the others holds a record until the one before it has drained."""
    work, sink = {"at": 3, "do": "hold", "ears": ears.port}, {"hold": True, "ears": ears.port}
    patient = {"stop_timeout_seconds": 600}
    with supervised(
        target, source={"endless": True}, work=work, sink=sink, every_group=patient
    ) as run:
        run.ready()

        def let_drain() -> None:
            middle = ears.hear("here")
            run.supervisor.request_stop("test")
            run.happened.wait_for("worker_drained", "in-0.1")
            middle.let_go()
            last = ears.hear("held")
            run.happened.wait_for("worker_drained", "mid-0.1")
            last.let_go()

        with meanwhile(let_drain):
            assert run.supervisor.run().outcome == "stopped"
        assert [e.worker for e in run.events("worker_drained")] == list(WORKERS)


@pytest.mark.contract("P5PRE-SUP-01", "P5PRE-SUP-05", "P5PRE-SUP-07")
def test_each_group_is_one_live_process_of_its_own(target: Path) -> None:
    with supervised(target) as run:
        run.ready()
        snapshot = run.supervisor.snapshot()
        assert [group.name for group in snapshot.groups] == ["in", "mid", "out"]
        assert all(len(group.workers) == 1 for group in snapshot.groups)
        children = {p.pid for p in psutil.Process().children()}
        for worker in snapshot.workers():
            assert worker.os_pid == worker.pid in children
            assert (worker.alive, worker.ready, worker.state) == (True, True, "ready")
        run.supervisor.shutdown()
        workers = run.supervisor.snapshot().workers()
        assert [(w.state, w.alive) for w in workers] == [("stopped", False)] * 3


@pytest.mark.contract("P5PRE-EXEC-04", "P5PRE-READY-02", "P5PRE-CTRL-04", "PROC-INT-02")
def test_no_source_is_read_before_every_group_is_ready(
    target: Path, tmp_path: Path, ears: Ears
) -> None:
    """The source's worker has been ready for a second, and has reported, when another one is."""
    work, first_read = {"born": "wait", "ears": ears.port}, tmp_path / "first_read"
    with supervised(target, work=work, source={"first_read": str(first_read)}) as run:
        said: list[str] = []

        def seen(group: str, state: str) -> None:
            if (group, state) == ("in", "ready"):
                said.append(state)
                if len(said) == 2:  # the first one is that it is ready
                    born.let_go()

        run.on_state = seen
        run.start()
        born = ears.hear("born")
        with pytest.raises(RuntimeLifecycleResolutionError, match="not every group is ready"):
            run.supervisor.run()
        assert run.events("worker_running") == []
        assert run.supervisor.wait_ready(PATIENCE)
        ready_at = time.monotonic()  # one clock for all processes
        run.supervisor.run()
        assert float(first_read.read_text()) > ready_at
        running = run.events("worker_running")[0].sequence
        assert running > max(e.sequence for e in run.events("worker_ready"))


@pytest.mark.contract("P5PRE-READY-02")
@pytest.mark.parametrize(
    "readiness", [{"start_work_on_all_groups_ready": False}, {"enabled": False}]
)
def test_without_the_common_gate_a_group_starts_when_what_is_behind_it_is_ready(
    target: Path, ears: Ears, readiness: dict[str, bool]
) -> None:
    work = {"born": "wait", "ears": ears.port}
    with supervised(target, work=work, platform={"readiness": readiness}) as run:
        run.start()
        born = ears.hear("born")

        def seen(group: str, state: str) -> None:
            if (group, state) == ("out", "running"):
                born.let_go()

        run.on_state = seen
        report = run.supervisor.run()
        assert report.outcome == "completed"
        running = {e.worker: e.sequence for e in run.events("worker_running")}
        middle = next(e.sequence for e in run.events("worker_ready") if e.worker == "mid-0.1")
        assert running["out-0.1"] < middle  # the sink's group does not wait for those before it
        if readiness.get("enabled", True):
            assert running["in-0.1"] > middle  # the source's does wait for those behind it
    assert target.read_text().splitlines() == expected(20)


@pytest.mark.contract("PROC-INT-06")
def test_a_run_of_which_one_group_alone_was_started_is_refused(target: Path) -> None:
    with supervised(target) as run:
        run.start("mid")
        assert run.supervisor.wait_ready(PATIENCE)
        with pytest.raises(RuntimeLifecycleResolutionError, match="not every group"):
            run.supervisor.run()


@pytest.mark.contract("P5PRE-SUP-01")
def test_both_supervisors_are_what_the_kernel_asks_for(target: Path) -> None:
    from sk_observability import LifecycleLog
    from sk_supervisor._run.execute import make_supervisor

    class Nothing:
        def progress(self, progress: object) -> None: ...
        def line(self, worker: str, text: str) -> None: ...
        def notice(self, text: str) -> None: ...
        def close(self) -> None: ...

    for mode, kind in (
        ("process_supervisor", MultiprocessBootstrapSupervisor),
        ("inline", LocalBootstrapSupervisor),
    ):
        groups = GROUPS if mode == "process_supervisor" else ()
        prepared = prepare(build_config(settings(target, mode=mode, groups=groups)))
        made = make_supervisor(prepared, "r1", LifecycleLog("r1"), Nothing())
        assert type(made) is kind
        supervisor: BootstrapSupervisor = made
        assert supervisor.shutdown() == "none"
