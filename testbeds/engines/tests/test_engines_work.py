"""What comes out of a run, where its nodes ran and how its records got there, on every engine."""

from __future__ import annotations

from typing import Any

import pytest
from contract_engines import WORKERS, Engine
from engine_commands import Told
from engine_configuration import COUNT, expected, places

STEPS = [
    "supervisor_start_groups",
    "supervisor_wait_ready",
    "supervisor_start_workload",
    "supervisor_graceful_stop",
]


def identities(spans: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    keys = ("trace_id", "span_id", "parent_id", "name", "sequence")
    return sorted(tuple(str(span[key]) for key in keys) for span in spans)


def of_records(told: Told) -> list[dict[str, Any]]:
    """Without those of the supervisor's steps and of hops, which alone have a kind."""
    spans = (span for span in told.spans if "kind" not in span)
    return [span for span in spans if span["process_group"] != "supervisor"]


@pytest.mark.contract("P5PRE-ENV-01")
def test_every_engine_writes_the_same_lines_in_the_same_order(done: Told, alone: Told) -> None:
    assert done.code == 0, done.said
    assert done.output == alone.output
    assert done.output.splitlines() == expected(COUNT)


@pytest.mark.contract("P5PRE-ENV-01")
def test_a_record_has_the_same_trace_and_the_same_parentage_on_every_engine(
    done: Told, alone: Told
) -> None:
    assert len(of_records(done)) >= 4 * COUNT
    assert identities(of_records(done)) == identities(of_records(alone))


@pytest.mark.contract("IPC-INT-03")
def test_the_summary_names_the_profile(done: Told, engine: Engine) -> None:
    assert f"completed: engines ({engine.profile}), run r1\n" in done.said
    assert "records in 500, out 500," in done.said


@pytest.mark.contract("PLACEMENT-01")
def test_a_node_runs_in_the_group_that_its_configuration_names(done: Told, engine: Engine) -> None:
    ran = {span["name"]: span["process_group"] for span in of_records(done)}
    assert ran == {node: group for node, group in places(engine).items() if node in ran}
    assert {"weigh", "tally", "spell"} <= ran.keys()


@pytest.mark.contract("P5PRE-EXEC-01", "PLACEMENT-03")
def test_what_is_for_another_group_is_done_there_and_comes_out(done: Told) -> None:
    by_id = {span["span_id"]: span for span in done.spans}
    worked = [span for span in of_records(done) if span["name"] == "weigh"]
    assert len(worked) == COUNT
    assert {span["worker"].partition("-")[0] for span in worked} == {"work"}
    assert {by_id[span["parent_id"]]["process_group"] for span in worked} == {"in"}
    assert done.output.splitlines() == expected(COUNT)


@pytest.mark.contract("PLACEMENT-04")
def test_what_stays_in_its_group_stays_in_its_process_and_takes_no_hop(
    done: Told, engine: Engine
) -> None:
    by_id = {span["span_id"]: span for span in done.spans}
    spelt = [span for span in of_records(done) if span["name"] == "spell"]
    tallied = [by_id[span["parent_id"]] for span in spelt]
    assert [span["name"] for span in tallied] == ["tally"] * COUNT
    assert [span["worker"] for span in spelt] == [span["worker"] for span in tallied]
    hops = 0 if engine.name == "one_group" else 2
    assert {span["route_hop"] for span in tallied} == {hops}
    assert {(span["handoff_from"], span["route_hop"]) for span in spelt} == {(None, hops)}


@pytest.mark.contract("P5PRE-OBS-06")
def test_a_span_says_its_group_where_its_record_came_from_and_by_which_hop(done: Told) -> None:
    ways = {
        (span["process_group"], span["handoff_from"], span["route_hop"])
        for span in of_records(done)
    }
    behind_a_border = {("work", "in", 1), ("tally", "work", 2), ("out", "tally", 3)}
    assert ways == {("in", None, 0), *behind_a_border, ("tally", None, 2)}


@pytest.mark.contract("P5PRE-EXEC-05")
def test_workers_share_by_key_where_there_is_state_and_in_turns_where_there_is_none(
    done: Told,
) -> None:
    of_key: dict[int, set[str]] = {}
    of_node: dict[str, dict[str, int]] = {"weigh": {}, "tally": {}}
    for span in of_records(done):
        if span["name"] in of_node:
            counted = of_node[span["name"]]
            counted[span["worker"]] = counted.get(span["worker"], 0) + 1
        if span["name"] == "tally":
            of_key.setdefault(span["sequence"] % 100, set()).add(span["worker"])
    assert [len(workers) for workers in of_key.values()] == [1] * 100
    assert [len(workers) for workers in of_node.values()] == [WORKERS] * 2
    # A turn is a batch: 25 of 20 records, taken by two.
    assert sorted(of_node["weigh"].values()) == [240, 260]


@pytest.mark.contract("P5PRE-SYS-01")
def test_the_supervisors_steps_are_nodes_in_the_log_and_in_the_trace(done: Told) -> None:
    own = [span["name"] for span in done.spans if span["process_group"] == "supervisor"]
    assert own == STEPS
    assert [event["event"] for event in done.events if event["event"] in STEPS] == STEPS
