"""Laws of planning: the units and their order, of any graph; and what many nodes cost."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import FrameType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sk_kernel._declare.specs import Emission, PayloadType, SinkSpec, SourceSpec
from sk_kernel._graph.units import state_units
from sk_kernel.runtime import SINK, SOURCE, Edge, Graph, make_plan

TEXT = PayloadType(str, str)
STATES = [type(f"S{i}", (), {}) for i in range(4)]


def graph_of(names: list[str], pairs: list[tuple[str, str]]) -> Graph:
    types = Emission((TEXT,))
    source = SourceSpec("in", list, True, None, types, None)
    sink = SinkSpec("out", list, True, None, types, None)
    edges = tuple(Edge(producer, TEXT, consumer, 0, 1) for producer, consumer in pairs)
    return Graph(source, sink, {}, edges, tuple(names))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, dict[str, set[type]]]:
    """An acyclic graph, whose vertices are in an order that its edges keep, and their states."""
    names = [f"v{place}" for place in draw(st.permutations(range(draw(st.integers(1, 12)))))]
    every = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    pairs = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    states = {name: draw(st.sets(st.sampled_from(STATES), max_size=2)) for name in names}
    return graph_of(names, pairs), {name: of for name, of in states.items() if draw(st.booleans())}


def by_definition(graph: Graph, states: Mapping[str, set[type]]) -> list[tuple[str, ...]]:
    """Vertices merged two by two while they must be, then taken one by one as soon as they can."""
    units = [{name} for name in graph.order]

    def feeds(one: set[str], other: set[str]) -> bool:
        return any(e.producer in one and e.consumer in other for e in graph.edges)

    def leads(one: set[str], other: set[str]) -> bool:
        reached: list[set[str]] = [one]
        for unit in reached:
            reached += [u for u in units if u not in reached and feeds(unit, u)]
        return other in reached

    def belong(one: set[str], other: set[str]) -> bool:
        held = [set().union(*(states.get(name, ()) for name in unit)) for unit in (one, other)]
        return bool(held[0] & held[1]) or (leads(one, other) and leads(other, one))

    def pair() -> tuple[set[str], set[str]] | None:
        pairs = ((a, b) for a in units for b in units if a is not b)
        return next((both for both in pairs if belong(*both)), None)

    while both := pair():
        units = [u for u in units if u not in both] + [both[0] | both[1]]
    left = sorted(units, key=lambda unit: min(map(graph.order.index, unit)))
    ordered: list[tuple[str, ...]] = []
    while left:
        free = next(u for u in left if not any(feeds(other, u) for other in left if other is not u))
        left.remove(free)
        ordered.append(tuple(name for name in graph.order if name in free))
    return ordered


@given(graphs())
def test_units_are_what_their_definition_says_in_the_order_that_it_says(
    drawn: tuple[Graph, dict[str, set[type]]],
) -> None:
    graph, states = drawn
    assert list(state_units(graph, states)) == by_definition(graph, states)


def opcodes(work: Callable[[], object]) -> int:
    """How many of the interpreter's instructions a call takes in the modules of the graph."""
    count = 0

    def local(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "opcode"
        return local

    def each(frame: FrameType, event: str, argument: object) -> Any:
        if "_graph" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        return local

    before = sys.gettrace()
    sys.settrace(each)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def planned(number: int) -> Callable[[], object]:
    """A line of so many nodes; every tenth hands on to the next group, and some share a state."""
    names = [SOURCE, *(f"n{place}" for place in range(number)), SINK]
    graph = graph_of(names, list(pairwise(names)))
    groups = {name: f"g{place // 10}" for place, name in enumerate(names)}
    states = {name: [type("S", (), {})] for name in names[1:-1]}
    states |= {a: states[b] for a, b in zip(names[1:-1:10], names[2:-1:10], strict=False)}
    return lambda: make_plan(graph, groups, states).segment_of(SINK)


def test_four_times_as_many_nodes_are_planned_in_four_times_as_many_steps() -> None:
    opcodes(planned(50))  # Python 3.13 counts none of a function's first run that is looked at
    few, many = opcodes(planned(50)), opcodes(planned(200))
    assert few > 1000
    assert many < 4.5 * few
