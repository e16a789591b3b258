"""Visits and answers to bytes and back: what goes between processes for requests.

A visit is ``[request, weight, producer, type, consumer, key, correlation, sampled, payload]``, an
answer ``[request, weight, type, payload, node, cause, given up]``: MessagePack arrays, numbers in
place of vertices and types as for batches. A frame is an array of visits or one of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec

from sk_kernel._asking import before_requests
from sk_kernel._envelope import Correlation, Key
from sk_kernel._graph import SINK, SOURCE, Edge, Graph
from sk_kernel._specs import PayloadType
from sk_kernel._visit import Answer, Visit
from sk_kernel._wire_parts import WirePart, part_of
from sk_kernel.errors import RecordTooLargeError, UnknownRouteError, WireError

T = TypeVar("T", Visit, Answer)
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
#: What msgspec raises of an object of no known type, a lone surrogate, an integer over 64 bits; in
#: a payload or in what is said of it.
_UNSENDABLE = (TypeError, ValueError, OverflowError, RecursionError)
#: Where a visit is on its way: producer, type and consumer, by their numbers.
_Way = tuple[int, int, int]


class RequestCodec:
    """Encodes and decodes the visits and answers of one graph.

    :param run_id: the run whose requests these are: their keys are unlike those of other runs.
    """

    def __init__(self, graph: Graph, run_id: str) -> None:
        self._before = before_requests(run_id)
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
        #: What has come so far, with the edge and the decoder of it.
        self._read: dict[_Way, tuple[Edge, Callable[[msgspec.Raw], Any]]] = {}
        taken_by = [t.cls for name in graph.nodes for t in graph.consumed(name)]
        #: Whether a request may have several records, and so keys that tell them apart.
        self._branching = graph.branching or len(set(taken_by)) < len(taken_by)

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

        Requests count from 1; their keys grow with them, from :func:`before_requests` of the run.
        """
        root = self._before + number
        if targets > 1:
            return (root, position)
        return (root,) if self._branching else root

    def visit(self, visit: Visit) -> bytes:
        """The bytes of a visit.

        :raises WireError: when MessagePack has no form for its payload, or what is said of it.
        """
        return _encoded(self._sent_visit(visit), visit.payload)

    def visit_parts(
        self, visits: Sequence[Visit], limit: int
    ) -> tuple[list[WirePart], list[Answer]]:
        """The bytes of visits, for arrays of at most ``limit`` bytes; what cannot be sent failed.

        The failure's cause is WireError or RecordTooLargeError, of the node that it comes from.
        """
        unsent: list[Answer] = []
        return _parts(visits, self._sent_visit, limit, unsent.append), unsent

    def answer_parts(self, answers: Sequence[Answer], limit: int) -> list[WirePart]:
        """Those of answers; in place of a reply that cannot be sent stands such a failure."""
        return _parts(
            answers, self._sent_answer, limit, lambda failure: _encode(self._sent_answer(failure))
        )

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

    def answers(self, data: bytes | memoryview) -> list[Answer]:
        """The answers in an array of them; a reply that is not as declared is a failure.

        :raises WireError: when the bytes are not answers of this graph.
        """
        try:
            found = _decode_answers(data)
        except _UNREADABLE as error:
            raise WireError(type(error).__name__) from error
        return [self._answer(wire) for wire in found]

    def _sent_visit(self, visit: Visit) -> tuple[Any, ...]:
        request, weight, edge, key, payload, known, sampled = visit
        producer, kind, consumer = self._ways[edge.producer, edge.payload.cls, edge.consumer]
        return request, weight, producer, kind, consumer, key, known, sampled, payload

    def _sent_answer(self, answer: Answer) -> tuple[Any, ...]:
        request, weight, replied, payload, node, cause, given_up = answer
        kind = self._type_index.get(type(payload)) if replied else None
        if replied and kind is None:
            raise WireError(f"{type(payload).__qualname__} is not declared")
        return request, weight, kind, payload if replied else None, node, cause, given_up

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
        way = wire.producer, wire.type, wire.consumer
        edge, decode = self._read.get(way) or self._reading(wire, way)
        try:
            payload = decode(wire.payload)
        except Exception:  # noqa: BLE001 - and whatever the __post_init__ of a payload raises
            return _undeclared(wire, edge.consumer)
        return Visit(wire.request, wire.weight, edge, wire.key, payload, known, wire.sampled)

    def _reading(self, wire: _WireVisit, way: _Way) -> tuple[Edge, Callable[[msgspec.Raw], Any]]:
        found = self._read[way] = self._edge(wire), self._decoder(wire.type)
        return found

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
            payload = self._decoder(wire.type)(wire.payload)
        except Exception:  # noqa: BLE001 - as above
            return _undeclared(wire, wire.node)
        return Answer(request, weight, True, payload, wire.node)

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


def _parts(
    several: Sequence[T],
    sent: Callable[[T], tuple[Any, ...]],
    limit: int,
    instead: Callable[[Answer], bytes | None],
) -> list[WirePart]:
    """All as one part, where that can be; else each by itself, and what ``instead`` gives for one
    that cannot be sent.
    """
    if not several:
        return []
    try:
        data = _encoded([sent(each) for each in several], several[0].payload)
    except WireError:
        pass
    else:
        if len(data) <= limit:
            return [part_of(data, len(several))]
        del data  # which may be large
    parts: list[WirePart] = []
    for each in several:
        try:
            data = _encoded(sent(each), each.payload)
            if len(data) >= limit:  # there is a byte before it
                raise RecordTooLargeError(each.origin, 0, len(data), limit)
        except (WireError, RecordTooLargeError) as error:
            cause = type(error).__name__
            failure = Answer(each.request, each.weight, node=each.origin, cause_type=cause)
            replaced = instead(failure)
            if replaced is not None:
                parts.append(WirePart(1, replaced))
        else:
            parts.append(WirePart(1, data))
    return parts


def _encoded(wire: Sequence[Any], payload: Any) -> bytes:
    try:
        return _encode(wire)
    except _UNSENDABLE as error:
        raise WireError(f"{type(payload).__qualname__} ({type(error).__name__})") from error
