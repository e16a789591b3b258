"""Connect declared nodes into a graph, or report every reason why they do not form one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from sk_kernel._declare.places import defined_at
from sk_kernel._declare.specs import Emission, NodeSpec, PayloadType, SinkSpec, SourceSpec
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel._graph.serving import is_reply_sink, is_request_source, replies_of
from sk_kernel.errors import Fault, PreflightError

_NO_CIRCLE = (
    "no circle of nodes: a payload goes to whatever takes its class, so what a node gives needs"
    " another class than what it, or a node before it, takes"
)


def build_graph(source: SourceSpec, sink: SinkSpec, nodes: Mapping[str, NodeSpec]) -> Graph:
    """Connect producers to consumers by payload type.

    A payload goes to the consumers of its class or, if there are none, of its nearest base class.
    The sink ``replies`` consumes the types that no node consumes.

    :raises PreflightError: with all faults: a type that nothing consumes, a node or sink that
        nothing reaches, a cycle, two annotations for one class, a node with a reserved name.
    """
    consumers: dict[type, list[str]] = {}
    for name in (*nodes, SINK):
        for payload in sink.payload.types if name == SINK else nodes[name].consumes:
            consumers.setdefault(payload.cls, []).append(name)
    serving = is_request_source(source)
    if is_reply_sink(sink):
        sink = replies_of((source.payload, *map(_all_of, nodes.values())), consumers)
        for payload in sink.payload.types:
            consumers[payload.cls] = [SINK]
    draft = Graph(source, sink, nodes, (), ())
    faults: list[Fault] = [*_misnamed(draft), *_ambiguous(draft)]
    edges: list[Edge] = []
    for producer in draft.producers:
        for payload in draft.emitted(producer):
            targets = _consumers_of(payload.cls, consumers)
            if not targets:
                wanted = f"a node or sink that consumes {payload.name}"
                place = draft.place(producer)
                faults.append(Fault(producer, "unconsumed", wanted, "none", place))
            edges += [Edge(producer, payload, t, i, len(targets)) for i, t in enumerate(targets)]
    reached = {e.consumer for e in edges}
    for name in (*nodes, SINK):
        # When the source is ``requests``, a node that nothing leads to is an entrance.
        if name not in reached and draft.consumed(name) and not (serving and name in nodes):
            wanted = " or ".join(t.name for t in draft.consumed(name))
            wanted = f"a source or node that emits {wanted}"
            faults.append(Fault(name, "unreached", wanted, "none", draft.place(name)))
    faults += _circles(draft, edges)
    if faults:
        raise PreflightError(faults)
    return Graph(source, sink, nodes, tuple(edges), _sorted(nodes, edges))


def _all_of(spec: NodeSpec) -> Emission:
    return Emission(spec.emits.types + (spec.finish or Emission()).types)


def _consumers_of(cls: type, consumers: Mapping[type, list[str]]) -> list[str]:
    return next((consumers[base] for base in cls.__mro__ if base in consumers), [])


def _misnamed(graph: Graph) -> Iterator[Fault]:
    taken = {SOURCE, SINK, *graph.bridges()}
    for name in graph.nodes:
        if name in taken:
            wanted = "a node name that no adapter or bridge has"
            yield Fault(name, "reserved", wanted, name, defined_at(graph.nodes[name].target))


def _ambiguous(graph: Graph) -> Iterator[Fault]:
    known: dict[type, PayloadType] = {}
    for name in (*graph.producers, SINK):
        emitted = () if name == SINK else graph.emitted(name)
        consumed = () if name == SOURCE else graph.consumed(name)
        for payload in (*emitted, *consumed):
            first = known.setdefault(payload.cls, payload).annotation
            if first != payload.annotation:
                wanted = (
                    f"one annotation for all payloads of class {payload.name}, since a payload goes"
                    " by its class (make two classes of it)"
                )
                both = f"{first!r} and {payload.annotation!r}"
                yield Fault(name, "ambiguous", wanted, both, graph.place(name))


def _sorter(names: Iterable[str], edges: Iterable[Edge]) -> TopologicalSorter[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in (SOURCE, *names, SINK):
        sorter.add(name)
    for edge in edges:
        sorter.add(edge.consumer, edge.producer)
    return sorter


def _circles(draft: Graph, edges: Iterable[Edge]) -> Iterator[Fault]:
    """Yield one fault per cycle; an edge of each reported cycle is removed to find the next one."""
    known = list(draft.nodes)
    left = list(edges)
    while True:
        try:
            _sorter(known, left).prepare()
        except CycleError as error:
            # The cycle goes from producer to consumer and repeats its first vertex at the end. The
            # message starts at the node that was declared first.
            circle: list[str] = error.args[1][:-1]
            start = circle.index(min(circle, key=known.index))
            shown = [*circle[start:], *circle[: start + 1]]
            place = draft.place(shown[0])
            yield Fault(shown[0], "circular", _NO_CIRCLE, " -> ".join(shown), place)
            left = [e for e in left if (e.producer, e.consumer) != (shown[0], shown[1])]
        else:
            return


def _sorted(names: Iterable[str], edges: Iterable[Edge]) -> tuple[str, ...]:
    """Sort the vertices by distance from the source, ties in the order of declaration."""
    known = list(edges)
    feeding: dict[str, list[str]] = {}
    for edge in known:
        feeding.setdefault(edge.consumer, []).append(edge.producer)
    rank = {name: i for i, name in enumerate((SOURCE, *names, SINK))}
    depth: dict[str, int] = {}
    for name in _sorter(names, known).static_order():
        depth[name] = max((depth[before] for before in feeding.get(name, ())), default=-1) + 1
    return tuple(sorted(depth, key=lambda n: (depth[n], rank[n])))
