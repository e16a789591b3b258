"""What workers that did not end in time were about: who was busy, and who only waited."""

from __future__ import annotations

from sk_control import Drained, DrainOutcome, Progress, Ready
from sk_supervisor import StopForcedError, StopTimeoutError
from sk_supervisor._lives.lateness import lateness
from supervisor_scene import Scene


def drained(*workers: str) -> Scene:
    """Source, middle and sink, of which these have drained."""
    scene = Scene("in", "mid", "out")
    for worker in ("in", "mid", "out"):
        scene.says(Ready(), worker)
    for worker in workers:
        scene.says(Drained(DrainOutcome.STOPPED, 5, 5), worker)
    return scene


def late(scene: Scene) -> dict[str, str]:
    return lateness(scene.roster.in_order(["in", "mid", "out"]))


def test_who_has_work_at_hand_is_named_first_with_its_place_and_the_others_as_waiting() -> None:
    scene = drained("in")
    scene.says(Progress(waiting=3, position="work (nodes.py, line 3)"), "out")
    said = late(scene)
    assert list(said.items()) == [
        ("out", "was busy, in work (nodes.py, line 3), with 3 items of work at hand"),
        ("mid", "only waited for out"),
    ]


def test_who_is_in_a_node_is_busy_though_nothing_waits_for_it() -> None:
    scene = drained("in")
    scene.says(Progress(position="work (nodes.py, line 3)"), "out")
    assert late(scene) == {
        "out": "was busy, in work (nodes.py, line 3)",
        "mid": "only waited for out",
    }


def test_where_nobody_has_work_the_first_is_waited_for_that_has_not_drained() -> None:
    assert late(drained()) == {
        "in": "had not drained",
        "mid": "only waited for in",
        "out": "only waited for in",
    }


def test_what_was_said_before_a_step_forward_is_forgotten_with_it() -> None:
    scene = drained("in")
    scene.says(Progress(waiting=1, position="work (nodes.py, line 3)"), "mid")
    scene.says(Progress(1, 1, 1), "mid")
    assert late(scene)["mid"] == "had not drained"


def test_the_errors_of_a_stop_say_it_in_a_line_each() -> None:
    why = {"mid-0.1": "was busy, with 1 item of work at hand", "out-0.1": "only waited for mid-0.1"}
    told = ["  mid-0.1 was busy, with 1 item of work at hand", "  out-0.1 only waited for mid-0.1"]
    assert str(StopTimeoutError(why, 3, why)).splitlines() == [
        "the stop took longer than 3 s; ended by force: mid-0.1, out-0.1",
        *told,
    ]
    assert str(StopForcedError(why, why)).splitlines()[1:] == told


def test_where_the_time_for_the_drain_is_over_that_is_what_is_said() -> None:
    error = StopTimeoutError(["mid-0.1"], 30, drain_seconds=21.6)
    said = "the drain took longer than 21.6 s (its share of stop_timeout_seconds: 30)"
    assert str(error) == f"{said}; ended by force: mid-0.1"
    assert (error.budget_seconds, error.drain_seconds) == (30, 21.6)
