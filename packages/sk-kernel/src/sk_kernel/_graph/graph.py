"""The graph of an application: its vertices, and the edges from producers to consumers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from sk_kernel._declare.places import defined_at
from sk_kernel._declare.specs import (
    AdapterSpec,
    Emission,
    NodeSpec,
    PayloadType,
    SinkSpec,
    SourceSpec,
)

SOURCE = "source:source"
"""The name of the source in the graph, whatever the adapter is called."""

SINK = "sink:sink"
"""The name of the sink in the graph, whatever the adapter is called."""


class Edge(Struct, frozen=True):
    """A connection on which payloads of one type go from a producer to a consumer.

    ``position`` is the consumer's index among the ``fanout`` consumers of that type from that
    producer.
    """

    producer: str
    payload: PayloadType
    consumer: str
    position: int
    fanout: int


class Graph(Struct, frozen=True, dict=True):
    """A checked, acyclic graph. Vertices are :data:`SOURCE`, the nodes in order, :data:`SINK`."""

    source: SourceSpec
    sink: SinkSpec
    nodes: Mapping[str, NodeSpec]
    edges: tuple[Edge, ...]
    order: tuple[str, ...]

    @cached_property
    def branching(self) -> bool:
        """Whether one record can become several, so that a sequence number is no sufficient key."""
        return any(e.fanout > 1 for e in self.edges) or any(
            spec.emits.many or spec.finish for spec in self.nodes.values()
        )

    def edges_from(self, producer: str) -> Sequence[Edge]:
        """Return the edges that lead from a vertex."""
        return self._edges_from.get(producer, ())

    def edges_to(self, consumer: str) -> Sequence[Edge]:
        """Return the edges that lead to a vertex."""
        return self._edges_to.get(consumer, ())

    @cached_property
    def _edges_from(self) -> dict[str, list[Edge]]:
        return _by((edge.producer for edge in self.edges), self.edges)

    @cached_property
    def _edges_to(self) -> dict[str, list[Edge]]:
        return _by((edge.consumer for edge in self.edges), self.edges)

    @property
    def producers(self) -> tuple[str, ...]:
        """The source and all nodes, in order; the index of each is its number on the wire."""
        return (SOURCE, *self.nodes)

    def emitted(self, producer: str) -> tuple[PayloadType, ...]:
        """Return the payload types that a producer emits, ``finish()`` included."""
        if producer == SOURCE:
            return self.source.payload.types
        spec = self.nodes[producer]
        return tuple(dict.fromkeys(spec.emits.types + (spec.finish or Emission()).types))

    def consumed(self, consumer: str) -> tuple[PayloadType, ...]:
        """Return the payload types that a consumer takes."""
        return self.sink.payload.types if consumer == SINK else self.nodes[consumer].consumes

    def accepts(self, consumer: str, cls: type) -> bool:
        """Whether an explicitly named target takes payloads of a class or of a base of it."""
        known = consumer == SINK or consumer in self.nodes
        return known and any(issubclass(cls, t.cls) for t in self.consumed(consumer))

    def place(self, vertex: str) -> str:
        """Return the file and line of a vertex's definition; empty if it is the runtime's own."""
        ends: dict[str, AdapterSpec] = {SOURCE: self.source, SINK: self.sink}
        return defined_at((ends.get(vertex) or self.nodes[vertex]).target)

    def bridges(self) -> dict[str, str]:
        """Map the name of each adapter's bridge to the adapter's vertex."""
        pairs = ((self.source.bridge, SOURCE), (self.sink.bridge, SINK))
        return {bridge: vertex for bridge, vertex in pairs if bridge}


def _by(names: Iterable[str], edges: Iterable[Edge]) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = {}
    for name, edge in zip(names, edges, strict=True):
        found.setdefault(name, []).append(edge)
    return found
