"""Visits and answers to bytes and back: what goes between processes for requests.

A visit is ``[request, weight, producer, type, consumer, key, correlation, sampled, payload]``, an
answer ``[request, weight, type, payload, node, cause]``: MessagePack arrays, numbers in place of
vertices and types as for batches. Each is encoded by itself, so that whoever relays many in one
frame puts them together as they are.
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


class _WireAnswer(msgspec.Struct, array_like=True, gc=False):
    request: str
    weight: _Share
    type: _Index | None
    payload: msgspec.Raw
    node: str
    cause_type: str


_encode = msgspec.msgpack.Encoder().encode
_decode_visits = msgspec.msgpack.Decoder(list[_WireVisit]).decode
_decode_answers = msgspec.msgpack.Decoder(list[_WireAnswer]).decode
_NIL = msgspec.Raw(b"\xc0")


class RequestCodec:
    """Encodes and decodes the visits and answers of one graph."""

    def __init__(self, graph: Graph) -> None:
        self._vertices = (*graph.producers, SINK)
        self._index = {name: i for i, name in enumerate(self._vertices)}
        emitted = (t for p in graph.producers for t in graph.emitted(p))
        taken = (t for name in (*graph.nodes, SINK) for t in graph.consumed(name))
        self._types = tuple(dict.fromkeys([*emitted, *taken]))
        self._type_index = {t.cls: i for i, t in enumerate(self._types)}
        self._edges: dict[tuple[int, int, int], Edge] = {
            self._place(edge.producer, edge.payload, edge.consumer): edge for edge in graph.edges
        }
        for name in (*graph.nodes, SINK):
            for payload in graph.consumed(name):
                # A caller stands where the source stands, whatever the source gives.
                entry = Edge(SOURCE, payload, name, 0, 1)
                self._edges.setdefault(self._place(SOURCE, payload, name), entry)
        self._decoders: dict[int, Any] = {}
        self._root: Key = (0,) if graph.branching else 0

    def entry(self, target: str, cls: type) -> tuple[Edge, Key]:
        """The edge by which a caller's payload comes to ``target``, and the key that it has.

        :raises UnknownRouteError: for a class that is not declared: only its base is, perhaps.
        """
        index = self._type_index.get(cls)
        edge = None
        if index is not None:
            edge = self._edges.get((self._index[SOURCE], index, self._index[target]))
        if edge is None:
            problem = f"{target!r} takes {cls.__qualname__} from no caller: send what it declares"
            raise UnknownRouteError(problem, target=target)
        return edge, self._root

    def visit(self, visit: Visit) -> bytes:
        """The bytes of a visit.

        :raises WireError: when MessagePack has no form for its payload.
        """
        producer, type_index, consumer = self._place(
            visit.edge.producer, visit.edge.payload, visit.edge.consumer
        )
        wire = _WireVisit(
            visit.request,
            visit.weight,
            producer,
            type_index,
            consumer,
            visit.key,
            visit.correlation,
            visit.sampled,
            _raw(visit.payload),
        )
        return _encode(wire)

    def visits(self, data: bytes | memoryview) -> list[Visit]:
        """The visits in an array of them.

        :raises WireError: when the bytes are not visits of this graph.
        """
        try:
            return [self._visit(wire) for wire in _decode_visits(data)]
        except WireError:
            raise
        except Exception as error:
            # Bytes of any kind, and whatever the __post_init__ of a payload makes of them.
            raise WireError(type(error).__name__) from error

    def answer(self, answer: Answer) -> bytes:
        """The bytes of an answer.

        :raises WireError: when MessagePack has no form for its payload.
        """
        kind = self._type_index.get(type(answer.payload)) if answer.replied else None
        payload = _raw(answer.payload) if kind is not None else _NIL
        if answer.replied and kind is None:
            raise WireError(f"{type(answer.payload).__qualname__} is not declared")
        wire = _WireAnswer(
            answer.request, answer.weight, kind, payload, answer.node, answer.cause_type
        )
        return _encode(wire)

    def answers(self, data: bytes | memoryview) -> list[Answer]:
        """The answers in an array of them.

        :raises WireError: when the bytes are not answers of this graph.
        """
        try:
            return [self._answer(wire) for wire in _decode_answers(data)]
        except Exception as error:
            raise WireError(type(error).__name__) from error  # as above

    def _visit(self, wire: _WireVisit) -> Visit:
        edge = self._edges.get((wire.producer, wire.type, wire.consumer))
        if edge is None:
            raise WireError("no such edge")
        payload = self._decoder(wire.type)(wire.payload)
        known = wire.correlation
        return Visit(wire.request, wire.weight, edge, wire.key, payload, known, wire.sampled)

    def _answer(self, wire: _WireAnswer) -> Answer:
        payload = None if wire.type is None else self._decoder(wire.type)(wire.payload)
        replied = wire.type is not None
        return Answer(wire.request, wire.weight, replied, payload, wire.node, wire.cause_type)

    def _place(self, producer: str, payload: PayloadType, consumer: str) -> tuple[int, int, int]:
        return self._index[producer], self._type_index[payload.cls], self._index[consumer]

    def _decoder(self, index: int) -> Any:
        decoder = self._decoders.get(index)
        if decoder is None:
            annotation = self._types[index].annotation
            decoder = self._decoders[index] = msgspec.msgpack.Decoder(annotation).decode
        return decoder


def together(parts: Iterable[bytes]) -> bytes:
    """One array of what was encoded one by one."""
    return _encode([msgspec.Raw(part) for part in parts])


def _raw(payload: Any) -> msgspec.Raw:
    try:
        return msgspec.Raw(_encode(payload))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        # An object of no known type, a lone surrogate, an integer over 64 bits.
        raise WireError(f"{type(payload).__qualname__} ({type(error).__name__})") from error
