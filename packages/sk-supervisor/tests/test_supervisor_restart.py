"""Workers that fail in the midst of a run and are followed by others, on real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sk_config import build_config
from sk_supervisor import (
    RunRefusedError,
    RuntimeLifecycleReadyError,
    RuntimeWorkerFailedError,
    StartInterruptedError,
    prepare,
)
from sk_supervisor import run as run_config
from sk_supervisor._supervisor.multiprocess import MultiprocessBootstrapSupervisor
from supervisor_harness import (
    APPS,
    PATIENCE,
    PATIENT,
    Ears,
    Heard,
    Supervised,
    expected,
    gone,
    meanwhile,
    settings,
    supervised,
    written,
)

FAST = {"policy": "on_failure", "intensity": 3, "backoff_seconds": 0.01}
TIMES = 3
#: Whose hello does not come in time is refused, and dials again.
LATE = {"data.timeout", "control.limit"}
BATCH = {"batch": {"max_records": 7, "in_flight": 3}}


def groups(restart: Mapping[str, Any] = FAST) -> Sequence[Mapping[str, Any]]:
    """The stateless node in a group of its own, between those that hold source, state and sink."""
    return (
        {"name": "in", "nodes": ["source:source", "split"]},
        {"name": "mid", "nodes": ["work"], "restart": dict(restart)},
        {"name": "out", "nodes": ["tally_up", "sink:sink"]},
    )


@contextlib.contextmanager
def restarting(
    target: Path, restart: Mapping[str, Any] = FAST, **changes: Any
) -> Iterator[Supervised]:
    with supervised(target, groups=groups(restart), platform=BATCH, **changes) as run:
        yield run


def killing(ears: Ears, times: int) -> threading.Thread:
    """A thread that kills whoever speaks, so often, and lets the next one go."""

    def listen() -> None:
        for _ in range(times):
            os.kill(ears.hear("here").pid, signal.SIGKILL)
        ears.hear("here").let_go()

    thread = threading.Thread(target=listen)
    thread.start()
    return thread


def lines(target: Path) -> list[str]:
    return target.read_text().splitlines()


@pytest.mark.contract("PROC-04")
def test_a_killed_worker_is_followed_and_not_a_byte_is_other(
    target: Path, ears: Ears, tmp_path: Path
) -> None:
    """And so is each that follows it and is killed."""
    alone = tmp_path / "alone.txt"
    assert (
        run_config(
            build_config(settings(alone, mode="inline", source={"count": 400})),
            run_id="r1",
            quiet=True,
        )
        == 0
    )
    work = {"at": 201, "do": "hold", "ears": ears.port}
    with restarting(target, source={"count": 400}, work=work) as run:
        run.ready()
        killer = killing(ears, TIMES)
        report = run.supervisor.run()
        killer.join()
        status = run.supervisor.snapshot()
        pids = run.pids()
    assert target.read_bytes() == alone.read_bytes()
    assert (report.outcome, report.records_in) == ("completed", 400)
    middle = status.group("mid")
    assert middle.restarts == TIMES
    assert [w.incarnation for w in middle.workers] == [TIMES + 1]
    [followed] = [w.last_failure for w in middle.workers]
    assert followed == f"mid-0.{TIMES} failed (crash), signal SIGKILL"
    assert gone(pids)


def test_a_run_with_a_restart_fits_into_the_smallest_nonce_cache(target: Path, ears: Ears) -> None:
    """However long a nonce is remembered: of each worker there is one."""
    auth = {"auth": {"nonce_cache_size": 1, "ttl_seconds": 86_400}}
    work = {"at": 201, "do": "hold", "ears": ears.port}
    ipc = {**auth, "control": auth}
    with restarting(target, source={"count": 400}, work=work, ipc=ipc) as run:
        run.ready()
        killer = killing(ears, 1)
        report = run.supervisor.run()
        killer.join()
        refused = {name for name, count in run.supervisor.snapshot().refusals.items() if count}
    assert refused <= LATE
    assert (report.outcome, report.records_in) == ("completed", 400)


def known_of(supervisor: MultiprocessBootstrapSupervisor) -> dict[str, set[str]]:
    """The middle workers that each room knows."""
    session = supervisor._parts.session.current
    assert session is not None
    rooms: dict[str, Any] = {
        "control": session.control.states(),
        "acceptor": session.hub._acceptor._expected,
        "gone": session.hub._links.gone,
    }
    return {room: {w for w in names if w.startswith("mid-")} for room, names in rooms.items()}


def test_a_run_with_many_restarts_knows_the_last_two_workers_of_a_place(
    target: Path, tmp_path: Path, ears: Ears
) -> None:
    kills = 7
    restart = {"policy": "on_failure", "intensity": 100, "backoff_seconds": 0.01}
    exporter = {"kind": "jsonl", "settings": {"path": str(tmp_path / "spans.jsonl")}}
    with restarting(
        target,
        restart,
        source={"count": 400},
        work={"at": 201, "do": "hold", "ears": ears.port},
        observability={"tracing": {"exporters": [exporter]}},
    ) as run:
        run.ready()
        killer = killing(ears, kills)
        run.supervisor.run()
        killer.join()
        assert isinstance(run.supervisor, MultiprocessBootstrapSupervisor)
        known, status = known_of(run.supervisor), run.supervisor.snapshot()
        roster = run.supervisor._parts.roster
        records = {n: roster.get(f"mid-0.{n}") is not None for n in range(1, kills + 2)}
    before, last = f"mid-0.{kills}", f"mid-0.{kills + 1}"
    assert known == {"control": {before, last}, "acceptor": {last}, "gone": set()}
    assert [n for n, there in records.items() if there] == [kills, kills + 1]
    [middle] = status.group("mid").workers
    assert (middle.incarnation, status.group("mid").restarts) == (kills + 1, kills)
    told = [one for one in status.spans if one.worker.startswith("mid-")]
    assert len(told) <= 3
    assert sum(one.processes for one in told) == kills + 1
    assert lines(target) == expected(400)


@pytest.mark.contract("PROC-04", "P5PRE-EXEC-05")
def test_one_killed_worker_of_three_is_followed_and_not_a_byte_is_other(
    target: Path, ears: Ears
) -> None:
    sharing = [dict(group) for group in groups()]
    sharing[1]["workers"] = 3
    work = {"at": 201, "do": "hold", "ears": ears.port}
    with supervised(
        target, groups=sharing, platform=BATCH, source={"count": 400}, work=work
    ) as run:
        run.ready()
        killer = killing(ears, TIMES)
        report = run.supervisor.run()
        killer.join()
        middle = run.supervisor.snapshot().group("mid")
        pids = run.pids()
    assert lines(target) == expected(400)
    assert (report.outcome, report.records_in) == ("completed", 400)
    assert sorted(w.incarnation for w in middle.workers) == [1, 1, TIMES + 1]
    assert middle.restarts == TIMES
    assert gone(pids)


@pytest.mark.contract("PROC-04")
def test_the_timeline_tells_of_a_restart_in_its_order(target: Path, ears: Ears) -> None:
    work = {"at": 51, "do": "hold", "ears": ears.port}
    with restarting(target, source={"count": 100}, work=work) as run:
        run.ready()
        killer = killing(ears, 1)
        run.supervisor.run()
        killer.join()
    checkpoints = ["worker_spawned", "worker_bootstrap_loaded", "worker_ready", "worker_running"]
    assert run.names("mid-0.1") == [
        *checkpoints,
        "worker_failed",
        "worker_restarting",
        "worker_stopped",
    ]
    assert run.names("mid-0.2")[:4] == checkpoints
    left = [name for name in run.names("mid-0.2")[4:] if name != "worker_drained"]
    assert left == ["worker_stopping", "worker_stopped"]
    [restarting_] = run.events("worker_restarting")
    assert restarting_.fields["category"] == "crash"
    assert restarting_.fields["attempt"] == 1
    assert 0.005 <= restarting_.fields["delay_seconds"] <= 0.01
    order = [(e.name, e.worker) for e in run.log.events()]
    assert order.index(("worker_stopped", "mid-0.1")) < order.index(("worker_spawned", "mid-0.2"))
    for other in ("in-0.1", "out-0.1"):
        assert "worker_failed" not in run.names(other)


def test_what_a_worker_started_goes_with_it_when_another_follows(target: Path, ears: Ears) -> None:
    work = {"at": 51, "do": "children", "ears": ears.port}
    heard: list[Heard] = []

    def listen() -> None:
        heard.append(ears.hear("here"))
        os.kill(heard[0].pid, signal.SIGKILL)
        heard.append(ears.hear("here"))
        heard[1].let_go()

    with restarting(target, source={"count": 100}, work=work) as run:
        run.ready()
        thread = threading.Thread(target=listen)
        thread.start()
        try:
            run.supervisor.run()
        finally:
            thread.join()
            for one in heard:
                os.kill(one.facts["fugitive"], signal.SIGKILL)
    assert lines(target) == expected(100)
    assert gone([one.facts["child"] for one in heard])


@pytest.mark.parametrize("do", ["raise", "leave", "freeze"])
def test_every_kind_of_failure_leads_to_a_restart(target: Path, do: str) -> None:
    restart = {**FAST, "intensity": 1}
    work = {"at": 51, "do": do}
    beat = {"heartbeat_seconds": 1}
    faulty = [{**group, **(beat if group["name"] == "mid" else {})} for group in groups(restart)]
    source = {"count": 100}
    with supervised(target, groups=faulty, platform=BATCH, source=source, work=work) as run:
        run.ready()
        with pytest.raises(RuntimeWorkerFailedError) as caught:
            run.supervisor.run()
    error = caught.value
    assert error.worker == "mid-0.2"
    assert error.category == {"raise": "execution", "leave": "crash", "freeze": "heartbeat"}[do]
    assert "gave up after 1 restart in 60 s" in str(error)


@pytest.mark.contract("PROC-04")
def test_a_crash_loop_is_given_up_with_the_exit_code_of_a_failed_worker(
    target: Path, tmp_path: Path, ask: Callable[..., Any]
) -> None:
    configuration = settings(
        target,
        groups=groups({**FAST, "intensity": 2, "period_seconds": 30}),
        platform=BATCH,
        source={"count": 100},
        work={"at": 31, "do": "kill"},
    )
    code, _, err = ask("run", written(tmp_path, configuration))
    assert code == 4
    assert "worker mid-0.3 of group mid failed (crash): signal SIGKILL" in err
    assert "gave up after 2 restarts in 30 s" in err
    for number in (1, 2):
        assert f"\nmid-0.{number} died of SIGKILL: restart {number} of 2\n" in err
    assert target.read_text() == "old\n"


def test_giving_up_is_an_event_with_what_it_was_counted_by(target: Path) -> None:
    work = {"at": 31, "do": "kill"}
    with restarting(target, {**FAST, "intensity": 2}, work=work, source={"count": 100}) as run:
        run.ready()
        with pytest.raises(RuntimeWorkerFailedError):
            run.supervisor.run()
    assert [e.fields["attempt"] for e in run.events("worker_restarting")] == [1, 2]
    [gave_up] = run.events("worker_gave_up")
    assert gave_up.worker == "mid-0.3"
    assert gave_up.fields == {"category": "crash", "restarts": 2, "period_seconds": 60}


def test_without_a_policy_the_first_failure_ends_the_run(target: Path) -> None:
    work = {"at": 31, "do": "kill"}
    with restarting(target, {}, work=work, source={"count": 100}) as run:
        run.ready()
        with pytest.raises(RuntimeWorkerFailedError) as caught:
            run.supervisor.run()
    assert caught.value.worker == "mid-0.1"
    assert "gave up" not in str(caught.value)
    assert not run.events("worker_restarting")


def test_a_stop_during_the_backoff_is_not_held_up_by_it(target: Path) -> None:
    restart = {**FAST, "backoff_seconds": 1000, "backoff_max_seconds": 1000}
    work = {"at": 31, "do": "kill"}
    with restarting(target, restart, work=work, source={"endless": True}) as run:
        run.ready()

        def stop() -> None:
            run.happened.wait_for("worker_restarting", "mid-0.1")
            run.supervisor.request_stop("test")

        with (
            meanwhile(stop),
            pytest.raises(RuntimeWorkerFailedError, match="a stop was asked for before") as caught,
        ):
            run.supervisor.run()
        assert caught.value.category == "crash"
        pids = run.pids()
    assert not [e for e in run.events("worker_spawned") if e.worker == "mid-0.2"]
    assert gone(pids)


def test_a_stop_while_a_successor_starts_drains_through_it(target: Path, ears: Ears) -> None:
    work = {"at": 31, "do": "hold", "ears": ears.port}
    with restarting(target, work=work, source={"endless": True}, every_group=PATIENT) as run:
        run.ready()

        def stop() -> None:
            os.kill(ears.hear("here").pid, signal.SIGKILL)
            run.happened.wait_for("worker_spawned", "mid-0.2")
            run.supervisor.request_stop("test")
            ears.hear("here").let_go()

        with meanwhile(stop):
            report = run.supervisor.run()
    assert report.outcome == "stopped"
    [partial] = report.partial_outputs
    written_ = lines(Path(partial))
    assert written_ == [*expected(report.records_in), "aborted"]


def test_a_worker_that_fails_before_the_gate_opens_is_followed_too(
    target: Path, ears: Ears
) -> None:
    work = {"born": "wait", "ears": ears.port}
    with restarting(target, work=work, source={"count": 50}) as run:
        run.start()
        first = ears.hear("born")
        os.kill(first.pid, signal.SIGKILL)

        def listen() -> None:
            ears.hear("born").let_go()

        with meanwhile(listen):
            assert run.supervisor.wait_ready(PATIENCE)
            report = run.supervisor.run()
    assert report.outcome == "completed"
    assert lines(target) == expected(50)
    assert "worker_running" not in run.names("mid-0.1")
    names = [(e.name, e.worker) for e in run.log.events()]
    ready = names.index(("worker_ready", "mid-0.2"))
    assert all(i > ready for i, (name, _) in enumerate(names) if name == "worker_running")


def test_a_stop_before_the_gate_opens_ends_a_backoff(target: Path, ears: Ears) -> None:
    restart = {**FAST, "backoff_seconds": 1000, "backoff_max_seconds": 1000}
    work = {"born": "raise"}
    with restarting(target, restart, work=work) as run:
        run.start()

        def stop() -> None:
            run.happened.wait_for("worker_restarting", "mid-0.1")
            run.supervisor.request_stop("test")

        with meanwhile(stop), pytest.raises(StartInterruptedError):
            run.supervisor.wait_ready(PATIENCE)


def test_a_group_that_never_comes_up_is_given_up_with_the_exit_code_of_a_start(
    target: Path,
) -> None:
    with restarting(target, {**FAST, "intensity": 2}, work={"born": "raise"}) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError, match="gave up after 2 restarts") as caught:
            run.supervisor.wait_ready(PATIENCE)
    assert caught.value.exit_code == 3
    assert caught.value.category == "start"


def test_a_start_that_is_given_up_tells_how_long_since_its_first_worker(target: Path) -> None:
    with restarting(target, {**FAST, "intensity": 3}, work={"born": "raise"}) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        events = run.log.events()
    spawned = {e.worker: e.time_ns for e in events if e.name == "worker_spawned"}
    assert caught.value.waited_seconds >= (spawned["mid-0.4"] - spawned["mid-0.1"]) / 1e9


def test_a_group_that_has_worked_and_does_not_come_up_again_is_a_failed_worker(
    target: Path, tmp_path: Path, ask: Callable[..., Any]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif sys.orig_argv[-1] == 'mid-0.2':\n    os._exit(9)\n"
    )
    configuration = settings(
        target,
        groups=groups({**FAST, "intensity": 1}),
        source={"count": 100},
        work={"at": 31, "do": "kill"},
    )
    path = f"{tmp_path}{os.pathsep}{APPS}"
    code, _, err = ask("run", written(tmp_path, configuration), PYTHONPATH=path)
    assert code == 4, err
    assert "worker mid-0.2 of group mid failed (crash): exit code 9: gave up after 1 restart" in err


def test_a_run_that_is_done_is_done_though_a_successor_is_still_starting(
    target: Path, ears: Ears, tmp_path: Path, sk: Callable[..., Any]
) -> None:
    # The first thing that a new interpreter does: long before it has a session.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, threading\n"
        "if sys.orig_argv[-1] == 'mid-0.2':\n"
        "    from supervised_deeds import tell\n"
        f"    tell({ears.port}, 'starting')\n"
        "    threading.Event().wait()\n"
    )
    configuration = settings(
        target, groups=groups(), source={"count": 100}, sink={"ears": ears.port}
    )
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{APPS}"}
    path = written(tmp_path, configuration)
    command = sk("run", path, "--run-id", "r1", environment=environment)
    committed = ears.hear("committed")
    [middle] = [w for w in command.workers() if w.cmdline()[-1] == "mid-0.1"]
    middle.kill()
    late = ears.hear("starting")
    committed.let_go()
    code, _, err = command.finish()
    assert (code, "by force" in err) == (0, False), err
    assert lines(target) == expected(100)
    assert gone([late.pid])


@pytest.mark.contract("PROC-04")
def test_a_group_that_holds_source_sink_or_state_refuses_to_be_restarted(target: Path) -> None:
    everywhere = [{**group, "restart": {"policy": "on_failure"}} for group in groups()]
    with pytest.raises(RunRefusedError) as caught:
        prepare(build_config(settings(target, groups=everywhere)))
    root = "runtime.platform.process_groups"
    faults = {(f.path, f.category): f.expected for f in caught.value.faults}
    assert {path for path, _ in faults} == {
        f"{root}[0].restart.policy",
        f"{root}[2].restart.policy",
    }
    texts = [f.expected for f in caught.value.faults]
    assert any("tally_up in another group" in t and "the state Tally" in t for t in texts)
    assert any("the position of the source" in t for t in texts)
    assert any("not committed" in t for t in texts)
    prepare(build_config(settings(target, groups=groups())))


@pytest.mark.soak
@pytest.mark.contract("PROC-04")
@pytest.mark.parametrize("seed", range(5))
def test_ten_kills_at_any_moment_change_nothing(target: Path, ears: Ears, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - it chooses moments
    count, kills = 30_000, 10
    all_killed, over = threading.Event(), threading.Event()

    def keep_the_end() -> None:
        """Nobody comes past the last odd record before the last kill."""
        with contextlib.suppress(OSError):
            while not over.is_set():
                heard = ears.hear_any()
                all_killed.wait()
                heard.let_go()

    def kill() -> None:
        for number in range(1, kills + 1):
            pid = run.happened.wait_for("worker_spawned", f"mid-0.{number}").fields["pid"]
            over.wait(chance.random() * 0.8)  # while it starts, too
            os.kill(int(pid), signal.SIGKILL)
        all_killed.set()

    with supervised(
        target,
        groups=groups({**FAST, "intensity": kills, "backoff_max_seconds": 0.05}),
        platform={"batch": {"max_records": 5, "in_flight": 4}},
        source={"count": count},
        work={"at": count - 1, "do": "hold", "ears": ears.port},
    ) as run:
        run.start()
        helpers = [threading.Thread(target=each, daemon=True) for each in (keep_the_end, kill)]
        for helper in helpers:
            helper.start()
        assert run.supervisor.wait_ready(PATIENCE)
        report = run.supervisor.run()
        over.set()
        restarts = run.supervisor.snapshot().group("mid").restarts
    ears.close()
    for helper in helpers:
        helper.join()
    assert report.outcome == "completed"
    assert lines(target) == expected(count)
    assert restarts == kills
