"""Encoding and decoding of visits and answers, which processes exchange for requests."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from sk_kernel._graph.entrances import entrances_of
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel._record.envelope import NO_CORRELATION, Correlation, root_of
from sk_kernel._record.trace_context import w3c_trace_id
from sk_kernel._requests.forms import (
    WireAnswer,
    WireVisit,
    decode_answers,
    decode_correlation,
    decode_raw_visits,
    decode_visits,
)
from sk_kernel._requests.parts import encode, encoded, parts_of
from sk_kernel._requests.visit import Answer, Unread, Visit
from sk_kernel._wire.codec_errors import UNREADABLE
from sk_kernel._wire.inert import is_inert
from sk_kernel._wire.parts import WirePart
from sk_kernel._wire.refused import found_in
from sk_kernel.errors import (
    KernelError,
    NodeOutputError,
    RequestExpiredError,
    RunError,
    UnsendableRequestError,
    WireError,
)

#: An edge on the wire: the indices of producer, type and consumer.
_Way = tuple[int, int, int]
#: Replies above this total size are not constructed in a thread that others wait for.
_AT_ONCE_BYTES: Final = 1 << 16
#: The fault of metadata that is not as declared.
_NO_TEXT: Final = ("Envelope with headers, or a name, that are not all text", "")


class RequestCodec:
    """Encodes and decodes the visits and answers of one graph.

    ``on_fault`` is called with the error of each visit or answer that cannot be sent, and of each
    visit that arrived and cannot be read. The outcome of the request has only the type of that
    error.
    """

    def __init__(self, graph: Graph) -> None:
        self.on_fault: Callable[[RunError | UnsendableRequestError], object] | None = None
        vertices = (*graph.producers, SINK)
        index = {name: i for i, name in enumerate(vertices)}
        emitted = (t for p in graph.producers for t in graph.emitted(p))
        taken = (t for name in (*graph.nodes, SINK) for t in graph.consumed(name))
        self._types = tuple(dict.fromkeys([*emitted, *taken]))
        self._type_index = {t.cls: i for i, t in enumerate(self._types)}
        self._edges: dict[_Way, Edge] = {
            (index[edge.producer], self._type_index[edge.payload.cls], index[edge.consumer]): edge
            for edge in (*graph.edges, *entrances_of(graph).values())
        }
        self._ways = {
            (edge.producer, edge.payload.cls, edge.consumer): way
            for way, edge in self._edges.items()
        }
        self._decoders: dict[int, Any] = {}
        self._inert: dict[int, bool] = {}
        #: The edge and the decoder of each way on which a visit has arrived.
        self._read: dict[_Way, tuple[Edge, Callable[[msgspec.Raw], Any]]] = {}

    def visit(self, visit: Visit) -> bytes:
        """Encode a visit that a caller sends.

        :raises UnsendableRequestError: when MessagePack cannot carry its payload.
        """
        try:
            return encoded(self._sent_visit(visit), visit)
        except NodeOutputError as error:
            raise UnsendableRequestError(f"a {error.got}") from error

    def visit_parts(
        self, visits: Sequence[Visit], limit: int
    ) -> tuple[list[WirePart], list[Answer]]:
        """Return (visits as parts of arrays of up to ``limit`` bytes, failures of the others).

        A failure names the node that the visit comes from; its cause is NodeOutputError or
        RecordTooLargeError.
        """
        unsent: list[Answer] = []
        return parts_of(visits, self._sent_visit, limit, unsent.append, self.on_fault), unsent

    def answer_parts(self, answers: Sequence[Answer], limit: int) -> list[WirePart]:
        """Encode answers as parts of arrays of at most ``limit`` bytes.

        A reply that cannot be sent is replaced by a failure, as for a visit.
        """
        return parts_of(
            answers,
            self._sent_answer,
            limit,
            lambda failure: encode(self._sent_answer(failure)),
            self.on_fault,
        )

    def visits(self, data: bytes | memoryview, now: float = -math.inf) -> list[Visit | Answer]:
        """Decode an array of visits; a visit that is not as declared is replaced by its failure.

        The sender does not check fields, so a visit with a field of another type than declared can
        arrive: that fails its own request only. A visit that is due by ``now`` fails, too: its
        payload is not read.

        :raises WireError: when the bytes are not visits of this graph.
        """
        try:
            return [self._visit(wire, wire.correlation, now) for wire in decode_visits(data)]
        except UNREADABLE:
            return self._raw_visits(data, now)

    def answers(self, data: bytes | memoryview) -> list[Answer]:
        """Decode an array of answers; replies stay encoded, so no code of the application runs.

        :raises WireError: when the bytes are not answers of this graph.
        """
        try:
            found = decode_answers(data)
        except UNREADABLE as error:
            raise WireError(type(error).__name__) from error
        return [self._answer(wire) for wire in found]

    def read(self, answer: Answer, trace_id: str = "") -> Answer:
        """Return the answer with its reply constructed.

        :param trace_id: the trace id that the request was sent with; noted on the error.
        :raises NodeOutputError: when the reply is not as declared, or its class raises anything at
            all: it is the application's code. The failure to report is :meth:`unread`.
        """
        unread = answer.payload
        if not isinstance(unread, Unread):
            return answer
        try:
            return answer._replace(payload=self._decoder(unread.type)(unread.data))
        except BaseException as raised:  # noqa: BLE001 - whatever a __post_init__ raises
            error = NodeOutputError(answer.node, *found_in(self._types[unread.type].name, raised))
            # msgspec wraps a ValueError or a TypeError of the class's own code.
            wrapped = isinstance(raised, msgspec.MsgspecError)
            error.trace_id = w3c_trace_id(trace_id) if trace_id else None
            raise error from (raised.__cause__ if wrapped else raised)

    @staticmethod
    def unread(answer: Answer) -> Answer:
        """Return the failure of a request whose reply cannot be constructed."""
        return _failed(answer, answer.node, NodeOutputError)

    def reads_at_once(self, answers: Iterable[Answer]) -> bool:
        """Return whether :meth:`read` of all is quick and runs no code of the application."""
        size = 0
        for answer in answers:
            unread = answer.payload
            if not isinstance(unread, Unread):
                continue
            size += len(memoryview(unread.data))
            if size > _AT_ONCE_BYTES or not self._is_inert(unread.type):
                return False
        return True

    def _is_inert(self, index: int) -> bool:
        inert = self._inert.get(index)
        if inert is None:
            inert = self._inert[index] = is_inert(self._types[index].annotation)
        return inert

    def _sent_visit(self, visit: Visit) -> tuple[Any, ...]:
        request, weight, edge, key, payload, known, sampled, due = visit
        producer, kind, consumer = self._ways[edge.producer, edge.payload.cls, edge.consumer]
        return request, weight, producer, kind, consumer, key, known, sampled, due, payload

    def _sent_answer(self, answer: Answer) -> tuple[Any, ...]:
        request, weight, replied, payload, node, cause, is_drop = answer
        kind = self._type_index.get(type(payload)) if replied else None
        if replied and kind is None:
            raise NodeOutputError(node, f"{type(payload).__qualname__}, which is not declared", "")
        return request, weight, kind, payload if replied else None, node, cause, is_drop

    def _raw_visits(self, data: bytes | memoryview, now: float) -> list[Visit | Answer]:
        try:
            found = decode_raw_visits(data)
        except UNREADABLE as error:
            raise WireError(type(error).__name__) from error
        visits: list[Visit | Answer] = []
        for wire in found:
            try:
                known = decode_correlation(wire.correlation)
            except UNREADABLE:
                visits.append(self._undeclared(wire, self._edge(wire), NO_CORRELATION, _NO_TEXT))
            else:
                visits.append(self._visit(wire, known, now))
        return visits

    def _visit(self, wire: WireVisit, known: Correlation, now: float) -> Visit | Answer:
        way = wire.producer, wire.type, wire.consumer
        edge, decode = self._read.get(way) or self._reading(wire, way)
        if wire.due <= now:
            return _failed(wire, edge.consumer, RequestExpiredError)
        try:
            payload = decode(wire.payload)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a __post_init__ raises
            return self._undeclared(wire, edge, known, found_in(edge.payload.name, error))
        request, weight = wire.request, wire.weight
        return Visit(request, weight, edge, wire.key, payload, known, wire.sampled, wire.due)

    def _undeclared(
        self, wire: WireVisit, edge: Edge, known: Correlation, found: tuple[str, str]
    ) -> Answer:
        """Return the failure of an invalid visit, at the node in this process that it was for.

        :param found: what was received and what is declared, as in :class:`NodeOutputError`.
        """
        got, declared = found
        cause: type[KernelError] = WireError
        error: RunError | UnsendableRequestError
        if edge.producer == SOURCE:
            cause, but = UnsendableRequestError, f", but its class declares {declared}"
            error = UnsendableRequestError(f"a {got}{but if declared else ''}")
        else:
            error = NodeOutputError(edge.producer, got, declared, root_of(wire.key))
        error.trace_id = known.trace_id and w3c_trace_id(known.trace_id)
        if self.on_fault is not None:
            self.on_fault(error)
        return _failed(wire, edge.consumer, cause)

    def _reading(self, wire: WireVisit, way: _Way) -> tuple[Edge, Callable[[msgspec.Raw], Any]]:
        found = self._read[way] = self._edge(wire), self._decoder(wire.type)
        return found

    def _edge(self, wire: WireVisit) -> Edge:
        edge = self._edges.get((wire.producer, wire.type, wire.consumer))
        if edge is None:
            raise WireError("no such edge")
        return edge

    def _answer(self, wire: WireAnswer) -> Answer:
        request, weight = wire.request, wire.weight
        if wire.type is None:
            lost = wire.is_policy_drop
            return Answer(request, weight, False, None, wire.node, wire.cause_type, lost)
        if wire.type >= len(self._types):
            raise WireError("no such type")
        return Answer(request, weight, True, Unread(wire.type, wire.payload), wire.node)

    def _decoder(self, index: int) -> Any:
        decoder = self._decoders.get(index)
        if decoder is None:
            annotation = self._types[index].annotation
            decoder = self._decoders[index] = msgspec.msgpack.Decoder(annotation).decode
        return decoder


def _failed(wire: WireVisit | Answer, node: str, cause: type[KernelError]) -> Answer:
    return Answer(wire.request, wire.weight, node=node, cause_type=cause.__name__)
