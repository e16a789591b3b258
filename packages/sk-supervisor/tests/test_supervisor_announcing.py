"""What a run says of restarts, while it goes on and at its end."""

from __future__ import annotations

from typing import Any

import pytest
from sk_kernel import RunReport
from sk_observability import LifecycleLog
from sk_supervisor._run.summary import summary
from sk_supervisor._show.announcing import Announcing


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        ({"category": "crash", "ended": "signal SIGKILL"}, "died of SIGKILL"),
        ({"category": "crash", "ended": "exit code 3"}, "died with exit code 3"),
        (
            {"category": "execution", "message": "node 'a' raised KeyError on record 3\n  more"},
            "failed (execution), node 'a' raised KeyError on record 3",
        ),
        ({"category": "crash"}, "failed (crash)"),
    ],
)
def test_a_failure_that_is_followed_by_a_restart_is_one_line(
    failed: dict[str, Any], said: str
) -> None:
    shown: list[str] = []
    log = LifecycleLog("r1", enabled=False)  # what is shown does not hang on what is logged
    rail = Announcing(log, shown.append, intensity={"mid": 3}, patience={})
    rail.emit("worker_failed", group="mid", worker="mid-0.1", fields=failed)
    rail.emit("group_failed", group="mid")
    assert shown == []
    again = {"category": failed["category"], "attempt": 1, "delay_seconds": 0.8}
    rail.emit("worker_restarting", group="mid", worker="mid-0.1", fields=again)
    assert shown == [f"mid-0.1 {said}: restart 1 of 3 in 0.8 s"]


def test_the_worker_that_follows_another_is_said_to_run_in_its_place_and_no_other() -> None:
    shown: list[str] = []
    rail = Announcing(
        LifecycleLog("r1", enabled=False), shown.append, intensity={"mid": 3}, patience={}
    )
    rail.emit("worker_running", group="mid", worker="mid-0.1")
    rail.emit("worker_running", group="mid", worker="mid-1.1")
    rail.emit("worker_restarting", group="mid", worker="mid-1.1", fields={"attempt": 1})
    del shown[:]
    rail.emit("worker_running", group="out", worker="out-1.1")
    rail.emit("worker_running", group="mid", worker="mid-0.2")
    rail.emit("worker_running", group="mid", worker="mid-1.2")
    rail.emit("worker_running", group="mid", worker="mid-1.3")
    assert shown == ["mid-1.2 is running in place of mid-1.1"]


def test_a_stall_that_is_only_reported_is_a_line_at_once_and_its_end_another() -> None:
    shown: list[str] = []
    rail = Announcing(
        LifecycleLog("r1", enabled=False), shown.append, intensity={}, patience={"mid": 2}
    )
    stuck = {"seconds": 2.41, "waiting": 3, "vitals": "idle", "position": "work (nodes.py, line 3)"}
    rail.emit("worker_stuck", group="mid", worker="mid-0.1", fields=stuck)
    assert shown == [
        "mid-0.1 is stuck: no progress for 2.4 s (stuck_after_seconds: 2) with"
        " 3 items of work at hand, in work (nodes.py, line 3)"
    ]
    rail.emit("worker_unstuck", group="mid", worker="mid-0.1", fields={"seconds": 7.5})
    assert shown[1:] == ["mid-0.1 goes on, after 7.5 s"]


def test_a_stall_that_is_a_failure_is_left_to_what_is_said_of_the_failure() -> None:
    shown: list[str] = []
    rail = Announcing(
        LifecycleLog("r1", enabled=False), shown.append, intensity={}, patience={"other": 2}
    )
    rail.emit("worker_stuck", group="mid", worker="mid-0.1", fields={"seconds": 2.4, "waiting": 1})
    assert shown == []


def test_what_it_announces_is_in_the_log_as_it_would_be_without() -> None:
    log = LifecycleLog("r1")
    rail = Announcing(log, lambda _: None, intensity={}, patience={})
    event = rail.emit("worker_failed", group="a", worker="a-0.1", trace_id="t")
    assert (rail.events(), rail.after(0)) == ((event,), (event,))
    assert event is not None
    assert (event.name, event.worker, event.trace_id) == ("worker_failed", "a-0.1", "t")


def test_a_summary_counts_restarts_where_there_were_any() -> None:
    report = RunReport(
        run_id="r1",
        scenario="s",
        profile="process_supervisor",
        outcome="completed",
        records_in=1,
        records_out=1,
        batches=1,
        seconds=1.0,
        counters={},
    )
    assert "restarts" not in summary(report)
    assert summary(report, 2).splitlines()[-1] == "  restarts 2"
