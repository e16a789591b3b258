"""State units, and the plan: what is cut where, and what must not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sk_kernel import PreflightError
from sk_kernel._graph.units import state_units
from sk_kernel.runtime import SINK, SOURCE, ApplicationContext, ExecutionPlan, make_plan

Built = Callable[[str], ApplicationContext]

FRAME = """
class E(msgspec.Struct, frozen=True):
    n: int
@state(key=None)
class S: ...
@state(key=None)
class T: ...
@source()
def numbers() -> Iterator[A]:
    yield A(1)
@sink()
def out(d: D) -> None: ...
"""


@pytest.fixture
def built(declare: Any, spec_of: Any) -> Built:
    return lambda text: ApplicationContext(spec_of(declare(FRAME + text)))


def units_of(context: ApplicationContext) -> list[str]:
    return [" ".join(unit) for unit in state_units(context.graph, context.all_states)]


def plan_of(context: ApplicationContext, placement: str) -> ExecutionPlan:
    group_of = dict(pair.split("=") for pair in placement.split())
    group_of = {SOURCE: "a", SINK: "a"} | group_of
    return make_plan(context.graph, group_of, context.all_states)


LINE = """
@node
def one(a: A{0}) -> B: ...
@node
def two(b: B{1}) -> C: ...
@node
def three(c: C{2}) -> D: ...
"""


def test_nodes_without_a_shared_state_are_units_of_their_own(built: Built) -> None:
    context = built(LINE.format(", s: S", "", ", t: T"))
    assert units_of(context) == [SOURCE, "one", "two", "three", SINK]


def test_a_node_between_two_that_share_a_state_is_in_their_unit(built: Built) -> None:
    context = built(LINE.format(", s: S", "", ", s: S"))
    assert units_of(context) == [SOURCE, "one two three", SINK]


def test_units_that_feed_each_other_are_one(built: Built) -> None:
    """a(S) -> c(T) and d(T) -> b(S): no node is between two of one unit, but the units circle."""
    context = built(
        """
        @node
        def a(x: A, s: S) -> B: ...
        @node
        def c(x: B, t: T) -> None: ...
        @node
        def d(x: A, t: T) -> C: ...
        @node
        def b(x: C, s: S) -> D: ...
        """.replace("\n        ", "\n")
    )
    assert units_of(context) == [SOURCE, "a d c b", SINK]


def test_a_unit_comes_behind_all_that_feeds_any_of_it(built: Built) -> None:
    context = built(
        """
@node
def early(a: A, s: S) -> D: ...
@node
def slow(a: A) -> B: ...
@node
def slower(b: B) -> C: ...
@node
def late(c: C, s: S) -> D: ...
"""
    )
    assert units_of(context) == [SOURCE, "slow", "slower", "early late", SINK]


def test_a_torn_unit_is_refused_with_the_place_of_each_node(built: Built) -> None:
    context = built(LINE.format(", s: S", "", ", s: S"))
    with pytest.raises(PreflightError) as caught:
        plan_of(context, "one=a two=b three=a")
    (fault,) = caught.value.faults
    assert (fault.path, fault.category) == ("one", "torn_state")
    assert "one in a, two in b, three in a" in fault.expected


def test_every_vertex_without_a_group_is_a_fault(built: Built) -> None:
    with pytest.raises(PreflightError) as caught:
        make_plan(built(LINE.format("", "", "")).graph, {"one": "a"}, {})
    assert [f.path for f in caught.value.faults] == [SINK, SOURCE, "three", "two"]


def test_one_group_is_one_segment(built: Built) -> None:
    (segment,) = plan_of(built(LINE.format("", "", "")), "one=a two=a three=a").segments
    assert segment.vertices == (SOURCE, "one", "two", "three", SINK)
    assert (segment.depth, segment.upstream, segment.downstream) == (0, (), ())


def test_a_group_before_and_behind_another_has_two_segments(built: Built) -> None:
    plan = plan_of(built(LINE.format("", "", "")), "one=a two=b three=a")
    cut = [(s.group, s.depth, s.vertices, s.upstream, s.downstream) for s in plan.segments]
    assert cut == [
        ("a", 0, (SOURCE, "one"), (), (1,)),
        ("b", 1, ("two",), (0,), (2,)),
        ("a", 2, ("three", SINK), (1,), ()),
    ]
    assert plan.group_edges() == (("a", "b"), ("b", "a"))
    assert [cls.__name__ for _, cls in plan.crossing()] == ["B", "C"]


def test_segments_send_to_greater_depths_only_also_where_a_record_takes_a_short_way(
    built: Built,
) -> None:
    context = built(
        """
@node
def split(a: A) -> B | E: ...
@node
def left(b: B) -> C: ...
@node
def right(e: E) -> D: ...
@node
def join(c: C | E) -> D: ...
"""
    )
    plan = plan_of(context, "split=a left=b right=c join=c")
    for segment in plan.segments:
        assert all(plan.segments[i].depth > segment.depth for i in segment.downstream)
        assert all(segment.index in plan.segments[i].upstream for i in segment.downstream)
    assert plan.segment_of("right").depth == 1
    assert plan.segment_of("join").depth == 2
    assert {s.index for s in plan.of_group("c")} == {
        plan.segment_of("right").index,
        plan.segment_of("join").index,
    }


def test_what_leads_nowhere_tells_the_sink_how_far_it_has_come(built: Built) -> None:
    """Also where the sink would be in the source's segment: it commits behind all."""
    context = built(
        """
@node
def there(a: A) -> D: ...
@node
def aside(a: A) -> None: ...
"""
    )
    plan = plan_of(context, "there=a aside=b")
    cut = [(s.group, s.depth, s.vertices, s.upstream, s.downstream) for s in plan.segments]
    assert cut == [
        ("a", 0, (SOURCE, "there"), (), (1, 2)),
        ("b", 1, ("aside",), (0,), (2,)),
        ("a", 2, (SINK,), (0, 1), ()),
    ]
