"""Visits and answers to bytes and back: what goes between processes for requests.

A visit is ``[request, weight, producer, type, consumer, key, correlation, sampled, payload]``, an
answer ``[request, weight, type, payload, node, cause, given up]``: MessagePack arrays, numbers in
place of vertices and types as for batches. Each is encoded by itself, so that whoever relays many
in one frame puts them together as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from sk_kernel._envelope import Correlation, Key
from sk_kernel._graph import SINK, SOURCE, Edge, Graph
from sk_kernel._specs import PayloadType
from sk_kernel._visit import Answer, Visit
from sk_kernel.errors import UnknownRouteError, WireError

_Index = Annotated[int, msgspec.Meta(ge=0)]
_Share = Annotated[int, msgspec.Meta(ge=0, le=1 << 60)]
_Nested = Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]


class _WireVisit(msgspec.Struct, array_like=True, gc=False):
    request: str
    weight: _Share
    producer: _Index
    type: _Index
    consumer: _Index
    key: int | _Nested
    correlation: Correlation
    sampled: bool
    payload: msgspec.Raw


class _RawVisit(_WireVisit, array_like=True, gc=False):
    """A visit of which something may be said that is not as declared."""

    correlation: msgspec.Raw  # type: ignore[assignment]


class _WireAnswer(msgspec.Struct, array_like=True, gc=False):
    request: str
    weight: _Share
    type: _Index | None
    payload: msgspec.Raw
    node: str
    cause_type: str
    given_up: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode_visits = msgspec.msgpack.Decoder(list[_WireVisit]).decode
_decode_raw_visits = msgspec.msgpack.Decoder(list[_RawVisit]).decode
_decode_answers = msgspec.msgpack.Decoder(list[_WireAnswer]).decode
_decode_correlation = msgspec.msgpack.Decoder(Correlation).decode

#: What msgspec raises of bytes that are not as declared; the second of a text that is no UTF-8.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)
#: Where a visit is on its way: producer, type and consumer, by their numbers.
_Way = tuple[int, int, int]


class RequestCodec:
    """Encodes and decodes the visits and answers of one graph."""

    def __init__(self, graph: Graph) -> None:
        self._vertices = (*graph.producers, SINK)
        self._index = {name: i for i, name in enumerate(self._vertices)}
        emitted = (t for p in graph.producers for t in graph.emitted(p))
        taken = (t for name in (*graph.nodes, SINK) for t in graph.consumed(name))
        self._types = tuple(dict.fromkeys([*emitted, *taken]))
        self._type_index = {t.cls: i for i, t in enumerate(self._types)}
        self._edges: dict[_Way, Edge] = {
            self._place(edge.producer, edge.payload, edge.consumer): edge for edge in graph.edges
        }
        for name in (*graph.nodes, SINK):
            for payload in graph.consumed(name):
                # A caller stands where the source stands, whatever the source gives.
                entry = Edge(SOURCE, payload, name, 0, 1)
                self._edges.setdefault(self._place(SOURCE, payload, name), entry)
        self._ways = {
            (edge.producer, edge.payload.cls, edge.consumer): way
            for way, edge in self._edges.items()
        }
        self._decoders: dict[int, Any] = {}
        self._branching = graph.branching

    def entry(self, target: str, cls: type) -> Edge:
        """The edge by which a caller's payload comes to ``target``.

        :raises UnknownRouteError: for a class that is not declared: only its base is, perhaps.
        """
        index = self._type_index.get(cls)
        edge = None
        if index is not None:
            edge = self._edges.get((self._index[SOURCE], index, self._index[target]))
        if edge is None:
            problem = f"{target!r} takes {cls.__qualname__} from no caller: send what it declares"
            raise UnknownRouteError(problem, target=target)
        return edge

    def root(self, number: int, position: int, targets: int) -> Key:
        """The key of a request's record for one of its ``targets``, unlike that of any other.

        Requests count from 1, and their keys begin below 0: a stream's count from 1 upwards.
        """
        if targets > 1:
            return (-number, position)
        return (-number,) if self._branching else -number

    def visit(self, visit: Visit) -> bytes:
        """The bytes of a visit.

        :raises WireError: when MessagePack has no form for its payload, or what is said of it.
        """
        edge = visit.edge
        producer, kind, consumer = self._ways[edge.producer, edge.payload.cls, edge.consumer]
        wire = (
            visit.request,
            visit.weight,
            producer,
            kind,
            consumer,
            visit.key,
            visit.correlation,
            visit.sampled,
            visit.payload,
        )
        return _encoded(wire, visit.payload)

    def visits(self, data: bytes | memoryview) -> list[Visit | Answer]:
        """The visits in an array of them; in place of one that is not as declared, its failure.

        What is sent is not checked, and a node may have made anything of it: that is the request's
        own affair.

        :raises WireError: when the bytes are not visits of this graph.
        """
        try:
            return [self._visit(wire, wire.correlation) for wire in _decode_visits(data)]
        except _UNREADABLE:
            return self._raw_visits(data)

    def answer(self, answer: Answer) -> bytes:
        """The bytes of an answer.

        :raises WireError: when MessagePack has no form for its payload.
        """
        kind = self._type_index.get(type(answer.payload)) if answer.replied else None
        if answer.replied and kind is None:
            raise WireError(f"{type(answer.payload).__qualname__} is not declared")
        payload = answer.payload if answer.replied else None
        node, cause = answer.node, answer.cause_type
        wire = (answer.request, answer.weight, kind, payload, node, cause, answer.given_up)
        return _encoded(wire, payload)

    def answers(self, data: bytes | memoryview) -> list[Answer]:
        """The answers in an array of them; a reply that is not as declared is a failure.

        :raises WireError: when the bytes are not answers of this graph.
        """
        try:
            found = _decode_answers(data)
        except _UNREADABLE as error:
            raise WireError(type(error).__name__) from error
        return [self._answer(wire) for wire in found]

    def _raw_visits(self, data: bytes | memoryview) -> list[Visit | Answer]:
        try:
            found = _decode_raw_visits(data)
        except _UNREADABLE as error:
            raise WireError(type(error).__name__) from error
        visits: list[Visit | Answer] = []
        for wire in found:
            try:
                known = _decode_correlation(wire.correlation)
            except _UNREADABLE:
                visits.append(_undeclared(wire, self._edge(wire).consumer))
            else:
                visits.append(self._visit(wire, known))
        return visits

    def _visit(self, wire: _WireVisit, known: Correlation) -> Visit | Answer:
        edge = self._edge(wire)
        try:
            payload = self._decoder(wire.type)(wire.payload)
        except Exception:  # noqa: BLE001 - and whatever the __post_init__ of a payload raises
            return _undeclared(wire, edge.consumer)
        return Visit(wire.request, wire.weight, edge, wire.key, payload, known, wire.sampled)

    def _edge(self, wire: _WireVisit) -> Edge:
        edge = self._edges.get((wire.producer, wire.type, wire.consumer))
        if edge is None:
            raise WireError("no such edge")
        return edge

    def _answer(self, wire: _WireAnswer) -> Answer:
        request, weight = wire.request, wire.weight
        if wire.type is None:
            lost = wire.given_up
            return Answer(request, weight, False, None, wire.node, wire.cause_type, lost)
        if wire.type >= len(self._types):
            raise WireError("no such type")
        try:
            return Answer(request, weight, True, self._decoder(wire.type)(wire.payload))
        except Exception:  # noqa: BLE001 - as above
            return _undeclared(wire, wire.node)

    def _place(self, producer: str, payload: PayloadType, consumer: str) -> tuple[int, int, int]:
        return self._index[producer], self._type_index[payload.cls], self._index[consumer]

    def _decoder(self, index: int) -> Any:
        decoder = self._decoders.get(index)
        if decoder is None:
            annotation = self._types[index].annotation
            decoder = self._decoders[index] = msgspec.msgpack.Decoder(annotation).decode
        return decoder


def _undeclared(wire: _WireVisit | _WireAnswer, node: str) -> Answer:
    return Answer(wire.request, wire.weight, node=node, cause_type=WireError.__name__)


def together(parts: Iterable[bytes]) -> bytes:
    """One array of what was encoded one by one."""
    return _encode([msgspec.Raw(part) for part in parts])


def _encoded(wire: tuple[Any, ...], payload: Any) -> bytes:
    try:
        return _encode(wire)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        # An object of no known type, a lone surrogate, an integer over 64 bits; in the payload or
        # in what is said of it.
        raise WireError(f"{type(payload).__qualname__} ({type(error).__name__})") from error
