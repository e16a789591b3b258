"""One batch in one segment: the records that wait for each vertex or leave for other segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any, NamedTuple

from sk_kernel._batch.batch import Batch, Column, Section
from sk_kernel._declare.specs import Emission, PayloadType
from sk_kernel._graph.graph import SOURCE, Edge
from sk_kernel._record.envelope import Envelope, Key, root_of, unfit_in
from sk_kernel.errors import NodeOutputError, UnknownTargetError


class Route(NamedTuple):
    """The consumers of payloads of one type from one producer, as seen from one segment.

    ``local`` has the edges to vertices of the segment; ``remote`` has the indices of other
    segments, each with the consumers there.
    """

    payload: PayloadType
    local: tuple[Edge, ...]
    remote: tuple[tuple[int, tuple[str, ...]], ...]


class Outlet:
    """The payloads that a producer may emit, and the route of each class of payload.

    A node has one for the results of its calls, and another one for the result of ``finish()``.
    """

    __slots__ = ("declared", "producer", "routes")

    def __init__(self, producer: str, declared: Emission, routes: Iterable[Route]) -> None:
        self.producer = producer
        self.declared = declared
        self.routes = {r.payload.cls: r for r in routes}

    def refuse(self, got: object, key: Key) -> NodeOutputError:
        """Return the error for ``got``, an undeclared output for the record ``key``."""
        shown = type(got).__qualname__
        if isinstance(got, Envelope):
            shown = f"Envelope[{type(got.payload).__qualname__}]"
        error = NodeOutputError(self.producer, shown, str(self.declared), root_of(key))
        return error.about(key)


class Flow:
    """A batch on its way through a segment.

    ``inbox`` has the columns that wait for each vertex of the segment.
    """

    __slots__ = ("_departures", "batch", "inbox")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.inbox: dict[str, list[Column]] = {}
        self._departures: dict[int, list[Section]] = {}

    def take(self, vertex: str) -> list[Column]:
        """Take the columns that wait for a vertex, without the records that are over."""
        return self.batch.without_failed(self.inbox.pop(vertex, []))

    def emit(self, outlet: Outlet, keys: Sequence[Key], outputs: Sequence[Any]) -> None:
        """Send what a producer returned for each of ``keys`` to its consumers.

        :raises NodeOutputError: for a payload, a None or an Envelope that is not declared.
        :raises UnknownTargetError: when an Envelope names a target that is no consumer.
        """
        if outlet.declared.many:
            keys, outputs = self._flattened(outlet, keys, outputs)
        kinds = list(map(type, outputs))  # counting in a list is faster than filling a set
        if kinds and kinds.count(kinds[0]) == len(kinds):
            route = outlet.routes.get(kinds[0])
            if route is not None:
                self._deliver(outlet.producer, route, keys, outputs)
                return
        # Classes in order of appearance, so that every process finds the same fault first.
        for cls in dict.fromkeys(kinds):
            chosen = [kind is cls for kind in kinds]
            some = list(compress(keys, chosen))
            self._emit_kind(outlet, cls, some, list(compress(outputs, chosen)))

    def arrive(self, section: Section, edges: Iterable[Edge]) -> None:
        """Put a section from another segment into the inboxes of its consumers in this one."""
        for edge in edges:
            if section.target in (None, edge.consumer):
                self._put(edge, section.keys, section.items)

    def departures(self) -> dict[int, list[Section]]:
        """Return what leaves, by segment: one section for each producer, type and target."""
        return {
            segment: several if len(several) == 1 else _joined(several)
            for segment, several in self._departures.items()
        }

    def _emit_kind(self, outlet: Outlet, cls: type, keys: list[Key], outputs: list[Any]) -> None:
        route = outlet.routes.get(cls)
        if route is not None:
            self._deliver(outlet.producer, route, keys, outputs)
        elif cls is Envelope and outlet.declared.enveloped:
            self._emit_envelopes(outlet, keys, outputs)
        elif cls is not type(None) or not outlet.declared.droppable:
            for key, output in zip(keys, outputs, strict=True):
                self.batch.blame(outlet.refuse(output, key))

    def _emit_envelopes(
        self, outlet: Outlet, keys: list[Key], envelopes: list[Envelope[Any]]
    ) -> None:
        alike: dict[tuple[type, str | None], tuple[list[Key], list[Any]]] = {}
        known = self.batch.correlations
        # A trace id that the source sets is valid for its own span, too; one that a node sets is
        # valid only from the next node on. So the origin is noted.
        origin = None if outlet.producer == SOURCE else outlet.producer
        for key, envelope in zip(keys, envelopes, strict=True):
            if type(envelope.payload) not in outlet.routes:
                self.batch.blame(outlet.refuse(envelope, key))
                continue
            if unfit := unfit_in(envelope):
                got = f"an Envelope with {unfit}"
                refused = NodeOutputError(outlet.producer, got, "", root_of(key))
                self.batch.blame(refused.about(key))
                continue
            if envelope.trace_id or envelope.reply_to or envelope.headers:
                known[key] = self.batch.correlation(key).updated(envelope, origin)
            group = alike.setdefault((type(envelope.payload), envelope.target), ([], []))
            group[0].append(key)
            group[1].append(envelope.payload)
        for (cls, target), (some_keys, items) in alike.items():
            self._deliver(outlet.producer, outlet.routes[cls], some_keys, items, target)

    def _flattened(
        self, outlet: Outlet, keys: Sequence[Key], outputs: Sequence[Any]
    ) -> tuple[list[Key], list[Any]]:
        flat_keys: list[Key] = []
        flat: list[Any] = []
        child = self.batch.child
        for key, several in zip(keys, outputs, strict=True):
            if several is None and outlet.declared.droppable:
                continue
            if not isinstance(several, list | tuple):
                self.batch.blame(outlet.refuse(several, key))
                continue
            flat_keys += [child(key, index) for index in range(len(several))]
            flat += several
        return flat_keys, flat

    def _deliver(
        self,
        producer: str,
        route: Route,
        keys: Sequence[Key],
        items: Sequence[Any],
        target: str | None = None,
    ) -> None:
        found = target is None
        for edge in route.local:
            if target in (None, edge.consumer):
                found = True
                self._put(edge, keys, items)
        for segment, consumers in route.remote:
            if target is None or target in consumers:
                found = True
                section = Section(producer, route.payload, target, keys, items)
                self._departures.setdefault(segment, []).append(section)
        if not found and target is not None:
            for key in keys:
                error = UnknownTargetError(producer, target, route.payload.name, root_of(key))
                self.batch.blame(error.about(key))

    def _put(self, edge: Edge, keys: Sequence[Key], items: Sequence[Any]) -> None:
        if edge.fanout > 1:
            child = self.batch.child
            keys = [child(key, edge.position) for key in keys]
        self.inbox.setdefault(edge.consumer, []).append(Column(edge, keys, items))


def _joined(sections: list[Section]) -> list[Section]:
    alike: dict[tuple[type, str | None, str], list[Section]] = {}
    for section in sections:
        same = section.payload.cls, section.target, section.producer
        alike.setdefault(same, []).append(section)
    return [_one(several) for several in alike.values()]


def _one(sections: list[Section]) -> Section:
    if len(sections) == 1:
        return sections[0]
    keys = [key for section in sections for key in section.keys]
    items = [item for section in sections for item in section.items]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return sections[0]._replace(keys=[keys[i] for i in order], items=[items[i] for i in order])
