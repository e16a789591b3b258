"""The supervisor's own steps are named system nodes: in the log, and as spans of the run."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel import LifecycleEvent, NodeSpan
from sk_kernel.runtime import TraceIds
from sk_observability import EventName
from sk_supervisor import run
from sk_supervisor._telemetry.system_nodes import SystemNodes
from supervisor_harness import GROUPS, settings

STEPS = [
    "supervisor_start_groups",
    "supervisor_wait_ready",
    "supervisor_start_workload",
    "supervisor_graceful_stop",
]


class Kept:
    def __init__(self) -> None:
        self.spans: list[NodeSpan] = []
        self.closed = False

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        self.spans += spans

    def close(self) -> None:
        self.closed = True


def traced(target: Path, folder: Path, mode: str, ratio: float = 1.0, **changes: Any) -> int:
    exporters = [{"kind": "jsonl", "settings": {"path": str(folder / "spans.jsonl")}}]
    events = [{"kind": "jsonl", "settings": {"path": str(folder / "events.jsonl")}}]
    observability = {
        "tracing": {"exporters": exporters, "sampling_ratio": ratio},
        "logging": {"exporters": events},
    }
    groups = GROUPS if mode == "process_supervisor" else ()
    config = settings(target, mode=mode, groups=groups, observability=observability, **changes)
    return run(build_config(config), run_id="r1", quiet=True, stderr=io.StringIO())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.contract("P5PRE-SYS-01")
@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_every_step_of_a_run_is_logged_and_traced_by_its_name(
    target: Path, tmp_path: Path, mode: str
) -> None:
    assert traced(target, tmp_path, mode) == 0
    spans = lines(tmp_path / "spans.jsonl")
    assert {s["run_id"] for s in spans} == {"r1"}
    own = [s for s in spans if s["process_group"] == "supervisor"]
    assert [s["name"] for s in own] == STEPS
    assert {s["trace_id"] for s in own} == {TraceIds("r1").of(0)}
    assert all(s["start_ns"] <= s["end_ns"] for s in own)
    assert all(a["end_ns"] <= b["start_ns"] for a, b in pairwise(own))
    told = [e["event"] for e in lines(tmp_path / "events.jsonl")]
    assert [name for name in told if name in STEPS] == STEPS


@pytest.mark.contract("P5PRE-SYS-01", "P5PRE-LOG-01")
@pytest.mark.parametrize(
    "readiness", [{"start_work_on_all_groups_ready": False}, {"enabled": False}]
)
def test_a_run_without_the_common_gate_takes_the_same_steps(
    target: Path, tmp_path: Path, readiness: dict[str, bool]
) -> None:
    platform = {"readiness": readiness}
    assert traced(target, tmp_path, "process_supervisor", platform=platform) == 0
    own = [s for s in lines(tmp_path / "spans.jsonl") if s["process_group"] == "supervisor"]
    assert [s["name"] for s in own] == STEPS
    assert len({s["span_id"] for s in own}) == len(STEPS)
    assert all(a["end_ns"] <= b["start_ns"] for a, b in pairwise(own))
    told = [e["event"] for e in lines(tmp_path / "events.jsonl")]
    assert [name for name in told if name in STEPS] == STEPS


@pytest.mark.contract("P5PRE-SYS-01")
def test_of_the_steps_of_one_call_each_lasts_to_the_next_and_the_last_has_the_error() -> None:
    kept = Kept()
    nodes = SystemNodes("r1", [kept], clock=lambda: 100)
    names = EventName.SUPERVISOR_WAIT_READY, EventName.SUPERVISOR_START_WORKLOAD
    events = [
        LifecycleEvent(sequence=1, time_ns=50, name="supervisor_wait_ready"),
        LifecycleEvent(sequence=2, time_ns=60, name="worker_ready"),
        LifecycleEvent(sequence=3, time_ns=70, name="supervisor_start_workload"),
    ]
    for happened in (events, []):
        with pytest.raises(ValueError), nodes.steps(names, lambda said=happened: said):  # noqa: PT011
            raise ValueError
    assert [(s.name, s.start_ns, s.end_ns, s.error) for s in kept.spans] == [
        ("supervisor_wait_ready", 50, 70, None),
        ("supervisor_start_workload", 70, 100, "ValueError"),
        ("supervisor_wait_ready", 100, 100, "ValueError"),
    ]


@pytest.mark.contract("P5PRE-SYS-01")
def test_a_step_that_fails_has_the_error_in_its_span_as_a_node_has(
    target: Path, tmp_path: Path
) -> None:
    assert traced(target, tmp_path, "inline", work={"at": 5, "do": "raise"}) == 4
    own = [s for s in lines(tmp_path / "spans.jsonl") if s["process_group"] == "supervisor"]
    assert {s["name"]: s.get("error") for s in own if s.get("error")} == {
        "supervisor_start_workload": "NodeFailedError"
    }


def test_a_run_that_traces_no_record_traces_no_step(target: Path, tmp_path: Path) -> None:
    assert traced(target, tmp_path, "inline", ratio=0.0) == 0
    spans = tmp_path / "spans.jsonl"
    assert not spans.exists() or spans.read_text() == ""


def test_a_forced_end_is_a_step_from_its_event_on() -> None:
    kept = Kept()
    nodes = SystemNodes("r1", [kept], clock=lambda: 100)
    events = [
        LifecycleEvent(sequence=1, time_ns=50, name="supervisor_graceful_stop"),
        LifecycleEvent(sequence=2, time_ns=70, name="supervisor_force_stop"),
        LifecycleEvent(sequence=3, time_ns=80, name="supervisor_force_stop"),
    ]
    nodes.ended_by_force(events)
    nodes.ended_by_force(events[:1])
    nodes.close()
    [span] = kept.spans
    assert (span.name, span.start_ns, span.end_ns) == ("supervisor_force_stop", 70, 100)
    assert kept.closed


def test_steps_of_one_run_have_ids_of_their_own_and_those_of_two_runs_too() -> None:
    kept = Kept()
    for run_id in ("r1", "r2"):
        nodes = SystemNodes(run_id, [kept])
        for name in (EventName.SUPERVISOR_START_GROUPS, EventName.SUPERVISOR_WAIT_READY):
            with nodes.step(name):
                pass
    assert len({s.span_id for s in kept.spans}) == 4
    assert len({s.trace_id for s in kept.spans}) == 2
