"""Whose version of each record is in the output, where workers have taken the places of others."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_config import build_config
from sk_kernel.runtime import ExecutionPlan
from sk_supervisor import prepare
from sk_supervisor._hub.leads_to import leads_to
from sk_supervisor._hub.relay import Relay
from sk_supervisor._hub.versions import RecordRanges, Route, Versions
from supervisor_frames import header
from versions_world import Shape, World

FIRST = Route(0, "in-0", 1, "a-0")
SECOND = Route(1, "a-0", 2, "b-0")
LAST = Route(2, "b-0", 3, "out-0")
ROUTES = (FIRST, SECOND, LAST)
#: Within one place.
WITHIN = Route(2, "b-0", 3, "b-0")


def test_of_a_place_whose_worker_cannot_be_replaced_all_is_its_own() -> None:
    assert Versions(ROUTES, ["a-0"]).share("in-0.1", 0) == ((0, inf),)


def test_what_was_passed_on_whole_is_its_maker_s_and_the_rest_its_successor_s() -> None:
    versions = Versions(ROUTES, ["a-0"])
    versions.passed(SECOND, 7)
    versions.handed_over("a-0.2")
    versions.passed(SECOND, 3)  # what its successor makes anew is dropped
    versions.handed_over("a-0.3")
    versions.passed(SECOND, 9)
    versions.handed_over("a-0.4")
    versions.passed(SECOND, 12)
    shares = [versions.share(f"a-0.{number}", 1) for number in (1, 2, 3, 4)]
    assert shares == [((0, 7),), (), ((7, 9),), ((9, 12),)]


def test_what_has_gone_one_way_of_two_is_shared_as_the_ways_are() -> None:
    aside = Route(1, "a-0", 3, "out-0")
    versions = Versions([*ROUTES, aside], ["a-0"])
    versions.passed(SECOND, 7)
    versions.passed(aside, 5)
    versions.handed_over("a-0.2")
    versions.passed(SECOND, 9)
    versions.passed(aside, 9)
    assert [versions.share(f"a-0.{n}", 1, {2}) for n in (1, 2)] == [((0, 7),), ((7, 9),)]
    assert [versions.share(f"a-0.{n}", 1, {3}) for n in (1, 2)] == [((0, 5),), ((5, 9),)]
    assert [versions.share(f"a-0.{n}", 1) for n in (1, 2)] == [((0, 7),), ((5, 9),)]


def test_what_is_lost_with_its_receiver_is_whoever_s_sends_it_again() -> None:
    """Of a.1 and b.1 both are replaced: b.2 is sent what a.2 has made, behind what b.1 passed."""
    versions = Versions(ROUTES, ["a-0", "b-0"])
    versions.passed(SECOND, 7)
    versions.passed(LAST, 4)
    versions.handed_over("a-0.2")
    versions.handed_over("b-0.2")
    versions.passed(SECOND, 8)
    versions.passed(LAST, 8)
    for place, segment in (("a-0", 1), ("b-0", 2)):
        shares = [versions.share(f"{place}.{number}", segment) for number in (1, 2)]
        assert shares == [((0, 4),), ((4, 8),)]


def test_each_segment_of_a_group_that_a_batch_passes_twice_has_a_share_of_its_own() -> None:
    there, back = Route(1, "a-0", 2, "mid-0"), Route(3, "a-0", 4, "out-0")
    versions = Versions([there, Route(2, "mid-0", 3, "a-0"), back], ["a-0"])
    versions.passed(there, 7)
    versions.passed(back, 2)
    versions.handed_over("a-0.2")
    versions.passed(back, 7)
    assert [versions.share(f"a-0.{number}", 1) for number in (1, 2)] == [((0, 7),), ()]
    assert [versions.share(f"a-0.{number}", 3) for number in (1, 2)] == [((0, 2),), ((2, 7),)]


def test_what_a_worker_keeps_for_itself_is_lost_with_it() -> None:
    to_itself, back = Route(2, "b-0", 3, "b-0"), Route(3, "b-0", 4, "out-0")
    versions = Versions([SECOND, to_itself, back], ["a-0", "b-0"])
    versions.passed(SECOND, 7)
    versions.passed(back, 2)
    versions.handed_over("b-0.2")
    assert versions.share("a-0.1", 1) == ((0, 2),)
    versions.passed(SECOND, 7)
    versions.passed(back, 7)
    assert versions.share("a-0.1", 1) == ((0, 7),)
    assert [versions.share(f"b-0.{number}", 2) for number in (1, 2)] == [((0, 2),), ((2, 7),)]


@pytest.mark.parametrize("routes", [ROUTES, (SECOND, WITHIN, Route(3, "b-0", 4, "c"))])
def test_of_one_who_gives_nothing_nothing_is_kept(routes: tuple[Route, ...]) -> None:
    versions = Versions(routes, ["a-0", "b-0"])

    def live(number: int) -> int:
        for record in range(1, 8):
            versions.passed(SECOND, record)
        versions.handed_over(f"b-0.{number}")
        return sum(len(several) for t in versions._taken.values() for several in t.values())

    assert live(2) == live(3) == 0
    for record in range(1, 8):
        versions.passed(routes[-1], record)
    assert live(4) == 2


# ---- where a node's records go -------------------------------------------------------------------


def planned(app: str, source: str, sink: dict[str, Any], **groups: list[str]) -> ExecutionPlan:
    """The plan of a test application in these groups, of which ``again`` may be restarted."""
    several: list[dict[str, Any]] = [{"name": name, "nodes": n} for name, n in groups.items()]
    for group in several:
        if group["name"] == "again":
            group["restart"] = {"policy": "on_failure"}
    platform = {
        "bootstrap": {"mode": "process_supervisor"},
        "execution_ipc": {"transport": "tcp_local", "control": {}},
        "process_groups": several,
    }
    config = {
        "version": 1,
        "scenario": "s",
        "runtime": {"discovery_modules": [app], "platform": platform},
        "nodes": {"audit": sink["settings"]} if "settings" in sink else {},
        "adapters": {"source": {"name": source}, "sink": sink},
    }
    return prepare(build_config(config)).plan


def thrice() -> ExecutionPlan:
    return planned(
        "thrice_app",
        "numbers",
        {"name": "out"},
        front=["source:source"],
        again=["split", "confirm", "hand_on"],
        first=["mark"],
        second=["wait"],
        back=["tell", "sink:sink"],
    )


def aside() -> ExecutionPlan:
    return planned(
        "aside_app",
        "numbers",
        {"name": "draft", "settings": {"path": "x"}},
        front=["source:source"],
        again=["audit"],
        back=["sink:sink"],
    )


def to(plan: ExecutionPlan, node: str) -> set[str]:
    return {plan.segments[index].group for index in leads_to(plan, node)}


def test_a_node_leads_to_the_segments_that_its_own_sends_what_comes_of_it_to() -> None:
    plan = thrice()
    groups = {node: to(plan, node) for node in ("source:source", "split", "mark", "confirm")}
    assert groups == {
        "source:source": {"again"},
        "split": {"first", "second"},
        "mark": {"again"},
        "confirm": {"back"},
    }


def test_what_a_node_makes_that_nothing_follows_is_done_with_its_segment() -> None:
    assert to(aside(), "audit") == {"back"}


def test_with_the_end_of_input_goes_what_nodes_have_made_as_they_finished() -> None:
    """These records are numbered as one behind the last of the source."""
    plan = aside()
    workers = {f"{group}-0": f"{group}-0.1" for group in ("front", "again", "back")}
    relay = Relay(plan, workers, ["again"])
    own, last = (plan.segment_of(name).index for name in ("audit", "sink:sink"))
    frame = header(
        sender="again-0.1", receiver="back-0.1", source_segment=own, target_segment=last, last=3
    )
    relay.route("again-0.1", frame)
    before = relay.share("again-0.1", "audit")
    relay.route("again-0.1", frame, final=True)
    relay.hand_over("again-0.2")
    after = [relay.share(f"again-0.{n}", "audit") for n in (1, 2)]
    assert (before, after) == (((0, 3),), [((0, 4),), ()])


# ---- a whole run, whose output tells ------------------------------------------------------------

SHAPES = {
    "a line": Shape(
        ("in", "a", "b", "c", "out"), ((1,), (2,), (3,), (4,), ()), {"a": 1, "b": 1, "c": 1}
    ),
    "twice": Shape(("ends", "a", "b", "a", "ends"), ((1,), (2, 3), (3,), (4,), ()), {"a": 1}),
    "twice, and all may be replaced": Shape(
        ("ends", "a", "b", "a", "b", "ends"),
        ((1, 2), (2, 3), (3, 4), (4, 5), (5,), ()),
        {"a": 1, "b": 1},
    ),
    "several workers": Shape(("in", "a", "b", "out"), ((1,), (2, 3), (3,), ()), {"a": 2, "b": 2}),
    "several, twice": Shape(("in", "a", "b", "a", "out"), ((1,), (2, 3), (3,), (4,), ()), {"a": 2}),
}  # fmt: skip


def counted(shares: RecordRanges, record: int) -> bool:
    return any(after < record <= through for after, through in shares)


FRAMES = st.integers(0, 5)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@given(data=st.data())
def test_a_worker_s_share_is_what_the_output_has_of_it(shape: Shape, data: st.DataObject) -> None:
    world = World(shape)
    turns = st.tuples(st.sampled_from(sorted(world.now)), FRAMES, FRAMES)
    lost = st.one_of(st.none(), st.sampled_from(world.restartable))
    for _ in range(7):
        world.feed()
        for place, sent, taken in data.draw(st.lists(turns, max_size=6)):
            world.relay(place, sent)
            world.work(place, taken)
        if (place := data.draw(lost)) is not None:
            world.replace(place)
    world.finish()
    for worker, route in world.made():
        shares = world.versions.share(worker, route.source, {route.target})
        known = {n for n in world.output if counted(shares, n)}
        made = (worker, route.source, route.target)
        assert known == {n for n, makers in world.output.items() if made in makers}
