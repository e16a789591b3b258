"""The gate: what is known of the workers before the first one works, and as soon as one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asking import asked
from sk_control import Progress, Ready, StartWork, Stop
from sk_supervisor import prepare
from sk_supervisor._lives.lifecycle import Event
from sk_supervisor._session.session_handle import SessionHandle
from sk_supervisor._session.workload import Workload
from supervisor_harness import supervised
from supervisor_scene import Scene


def test_every_worker_is_marked_before_one_is_told_and_the_source_is_told_last(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, set[str]]] = []
    with supervised(target) as run:
        session = run.supervisor._parts.session
        tell = session.tell

        def telling(record: Any, message: Any) -> bool:
            if isinstance(message, StartWork):
                states = {worker.state for worker in run.supervisor.snapshot().workers()}
                told.append((record.worker_id, states))
            return tell(record, message)

        monkeypatch.setattr(session, "tell", telling)
        run.ready()
        run.supervisor.run()
    assert told == [(worker, {"running"}) for worker in ("out-0.1", "mid-0.1", "in-0.1")]


def test_a_drain_is_told_to_all_that_run_and_to_whoever_comes_to_run_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then behind the word to start, which is out of order behind a stop."""
    names = ("first", "second", "third", "last")
    groups = [{"name": name, "nodes": [name]} for name in names]
    scene, told = Scene(*names), list[tuple[str, Any]]()
    session = SessionHandle()
    work = Workload(prepare(asked(groups, modules=["asked_app"])), scene.roster, session)
    monkeypatch.setattr(session, "tell", lambda record, word: told.append((record.worker_id, word)))
    drain = Stop(drain=True, reason="drain")
    for worker in names:
        scene.says(Ready(), worker)
    work.open()
    del told[:]
    successor = scene.spawn("third-0.2", scene.record("third").group)
    work.drain()
    assert sorted(told, key=str) == [("first", drain), ("last", drain), ("second", drain)]
    scene.says(Ready(), successor.worker_id)
    work.pass_gate()
    assert told[3:] == [("third-0.2", StartWork()), ("third-0.2", drain)]


def test_no_snapshot_has_records_beside_a_worker_that_does_not_run_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is taken worker by worker, and the gate may open and records come through meanwhile."""
    scene = Scene("in", "out")
    for worker in ("in", "out"):
        scene.says(Ready(), worker)

    def meanwhile() -> str:
        for worker in ("in", "out"):
            scene.roster.apply(scene.record(worker), Event.GATE_OPENED)
            scene.says(Progress(5, 5, 1), worker)
        return ""

    monkeypatch.setattr(scene.record("in").process, "ended", meanwhile)
    during = [worker for group in scene.roster.snapshot(scene.now) for worker in group.workers]
    assert [(worker.state, worker.records_out) for worker in during] == [
        ("ready", 0),
        ("running", 0),
    ]
