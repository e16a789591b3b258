"""What a node answers to a request, where it was asked, and what a lost one comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contract_engines import Engine
from engine_configuration import HARMED, RUN_ID, places
from engine_requests import Asked, killed_on_request, late_reply, two_replies
from engines_app import Line


def spans_of(answered: Asked, name: str) -> list[dict[str, Any]]:
    """The spans of the requests in one node."""
    return [span for span in answered.spans if span["name"] == name]


@pytest.mark.contract("HANDOFF-03", "PH4-D-02")
def test_a_reply_comes_under_the_trace_id_of_its_request(answered: Asked) -> None:
    outcome = answered.outcomes["plain"]
    assert (outcome.status, outcome.trace_id) == ("success", "plain")
    assert outcome.payload == Line(f"1 1 {RUN_ID}")


@pytest.mark.contract("P5PRE-EXEC-03")
def test_outputs_keep_their_trace_id_and_where_to_reply(answered: Asked) -> None:
    assert [(o.trace_id, o.reply_to) for o in answered.outputs] == [("a", "x"), ("b", "y")]


@pytest.mark.contract("HANDOFF-01", "PH4-D-01", "HANDOFF-C-03")
def test_each_input_is_executed_in_the_group_that_it_is_for(answered: Asked) -> None:
    assert [o.payload for o in answered.outputs] == [Line(f"3 1 {RUN_ID}"), Line("4 1 given")]
    # The second input went to its own group, past the node that the first one was for.
    weighed = {span["worker"].partition("-")[0] for span in spans_of(answered, "weigh")}
    tallied = {span["worker"].partition("-")[0] for span in spans_of(answered, "tally")}
    assert (weighed, tallied) == ({"work"}, {"tally"})
    assert len(spans_of(answered, "tally")) == len(spans_of(answered, "weigh")) + 1


@pytest.mark.contract("HANDOFF-C-01", "HANDOFF-C-02")
def test_the_worker_of_the_group_finds_the_target_and_executes_it(
    answered: Asked, engine: Engine
) -> None:
    spawned = {event["worker"] for event in answered.named("worker_spawned")}
    for node in ("weigh", "tally"):
        ran = spans_of(answered, node)
        assert {span["process_group"] for span in ran} == {places(engine)[node]}
        assert {span["worker"] for span in ran} <= spawned


@pytest.mark.contract("HANDOFF-02")
def test_nodes_of_one_group_pass_it_on_without_a_hop(answered: Asked) -> None:
    ran = [*spans_of(answered, "weigh"), *spans_of(answered, "tally")]
    assert len({span["worker"] for span in ran}) == 1
    assert {(span["handoff_from"], span["route_hop"]) for span in ran} == {(None, 0)}


@pytest.mark.contract("P5PRE-EXEC-02")
def test_a_group_that_there_is_not_raises_the_transport_category(answered: Asked) -> None:
    assert str(answered.refusal) == "no route: there is no group 'no such group'"
    assert answered.refusal.category == "transport"


@pytest.mark.contract("HANDOFF-05")
def test_what_is_in_flight_when_the_drain_begins_is_answered(answered: Asked) -> None:
    outcome = answered.outcomes["late"]
    assert (outcome.status, outcome.payload) == ("success", Line(f"{HARMED} 1 {RUN_ID}"))


@pytest.mark.contract("HANDOFF-04", "HANDOFF-E-02")
def test_a_killed_worker_is_a_lost_handoff_and_a_failed_run(engine: Engine, tmp_path: Path) -> None:
    outcome, error = killed_on_request(engine, tmp_path)
    group = places(engine)["weigh"]
    assert (outcome.status, outcome.category, outcome.group) == ("error", "transport", group)
    assert outcome.error == f"remote handoff transport failed for group '{group}'"
    assert error.code == 4


@pytest.mark.contract("HANDOFF-E-01", "HANDOFF-D-02")
def test_a_reply_that_is_late_is_a_timeout_and_is_dropped_and_counted(
    engine: Engine, tmp_path: Path
) -> None:
    outcome, counts = late_reply(engine, tmp_path)
    group = places(engine)["weigh"]
    assert (outcome.status, outcome.category, outcome.group) == ("timeout", "timeout", group)
    assert outcome.error == f"remote handoff timed out for group '{group}'"
    assert (counts.expired, counts.late_reply_drop, counts.completed) == (1, 1, 2)


@pytest.mark.contract("HANDOFF-D-01")
def test_of_two_replies_one_completes_and_the_other_is_counted(
    engine: Engine, tmp_path: Path
) -> None:
    outcome, counts = two_replies(engine, tmp_path)
    assert outcome.status == "success"
    assert (counts.completed, counts.duplicate_terminal) == (3, 1)
