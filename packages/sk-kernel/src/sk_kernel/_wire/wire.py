"""Encode and decode sections: MessagePack, column by column, objects only of declared types.

A frame's payload is an array of sections ``[producer, type, target, keys, correlations, items]``.
``producer`` and ``type`` are indices into the graph's own lists, which every process derives from
the same modules; ``keys`` is nil for exactly all sequence numbers of the batch. ``items`` is the
encoded array of payloads within a binary, so that a reader can skip it without parsing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec

from sk_kernel._batch.batch import Batch, Section
from sk_kernel._graph.graph import Graph
from sk_kernel._record.envelope import Correlation, Key, root_of
from sk_kernel._wire.codec_errors import UNSENDABLE
from sk_kernel._wire.portable import decoder_of
from sk_kernel._wire.portions import portions
from sk_kernel._wire.refused import undeclared, unsendable
from sk_kernel.errors import RecordTooLargeError, RunError, WireError

_SAMPLE = 8
#: Bytes reserved for the parts of a frame that do not grow with its records.
_AROUND = 64

_Index = Annotated[int, msgspec.Meta(ge=0)]
_Nested = Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]


class _WireSection(msgspec.Struct, array_like=True, gc=False):
    producer: _Index
    type: _Index
    target: str | None
    keys: msgspec.Raw
    correlations: list[tuple[_Index, Correlation]]
    items: memoryview


_encode = msgspec.msgpack.Encoder().encode
_decode_sections = msgspec.msgpack.Decoder(list[_WireSection]).decode
_decode_numbers = msgspec.msgpack.Decoder(list[int] | None).decode
_decode_nested = msgspec.msgpack.Decoder(list[_Nested]).decode


class WireCodec:
    """Encodes and decodes the sections of one graph."""

    def __init__(self, graph: Graph) -> None:
        self._decode_keys: Any = _decode_nested if graph.branching else _decode_numbers
        self._producers = graph.producers
        self._producer_index = {name: i for i, name in enumerate(self._producers)}
        types = dict.fromkeys(t for p in self._producers for t in graph.emitted(p))
        self._types = tuple(types)
        self._type_index = {t.cls: i for i, t in enumerate(self._types)}
        self._consumers: dict[tuple[int, int], set[str]] = {}
        for edge in graph.edges:
            known = self._producer_index[edge.producer], self._type_index[edge.payload.cls]
            self._consumers.setdefault(known, set()).add(edge.consumer)
        self._decoders: dict[int, Any] = {}
        self._bytes_each: dict[type, float] = {}

    def encode(self, batch: Batch, sections: Iterable[Section], max_bytes: int) -> list[bytes]:
        """Encode sections as one frame payload, or as several if it would exceed ``max_bytes``.

        :raises RecordTooLargeError: when a single record exceeds ``max_bytes``.
        :raises NodeOutputError: when MessagePack cannot carry a record.
        """
        several = list(sections)
        if not several:
            return [_encode([])]
        if sum(map(self._likely_bytes, several)) <= max_bytes:
            whole = _encode([self._to_wire(batch, s, self._together(s)) for s in several])
            if len(whole) <= max_bytes:
                return [whole]
        return [part for s in several for part in self._parts(batch, s, max_bytes)]

    def _likely_bytes(self, section: Section) -> float:
        """Estimate the size of a section from earlier records of its type, or from a sample."""
        known = self._bytes_each.get(section.payload.cls)
        if known is None:
            some = section.items[:_SAMPLE]
            size = len(_encoded(section, some))
            known = self._bytes_each[section.payload.cls] = size / max(len(some), 1)
        return known * len(section.items)

    def _together(self, section: Section) -> memoryview:
        encoded = _encoded(section, section.items)
        self._bytes_each[section.payload.cls] = len(encoded) / max(len(section.items), 1)
        return memoryview(encoded)

    def _parts(self, batch: Batch, section: Section, max_bytes: int) -> Iterator[bytes]:
        try:
            for run, items in portions(section.items, max_bytes - _AROUND):
                part = section._replace(keys=section.keys[run], items=section.items[run])
                data = _encode([self._to_wire(batch, part, items)])
                if len(data) <= max_bytes:
                    yield data
                else:
                    yield from self._smaller(batch, part, len(data), max_bytes)
        except UNSENDABLE as error:
            raise unsendable(section) or WireError(type(error).__name__) from None

    def _smaller(
        self, batch: Batch, section: Section, size: int, max_bytes: int
    ) -> Iterator[bytes]:
        """Encode the halves of a section that is too large with its keys and correlations.

        :raises RecordTooLargeError: when the section has only one record.
        """
        if len(section.items) == 1:
            sequence = root_of(section.keys[0])
            error = RecordTooLargeError(section.producer, sequence, size, max_bytes)
            raise error.about(section.keys[0])
        middle = len(section.items) // 2
        for half in (slice(None, middle), slice(middle, None)):
            part = section._replace(keys=section.keys[half], items=section.items[half])
            yield from self._parts(batch, part, max_bytes)

    def _to_wire(self, batch: Batch, section: Section, items: memoryview) -> _WireSection:
        known = batch.correlations
        dense = type(section.keys) is range and len(section.keys) == batch.last - batch.first + 1
        return _WireSection(
            self._producer_index[section.producer],
            self._type_index[section.payload.cls],
            section.target,
            msgspec.Raw(_encode(None if dense else list(section.keys))),
            [(i, known[k]) for i, k in enumerate(section.keys) if k in known] if known else [],
            items,
        )

    def decode(self, batch: Batch, data: bytes | memoryview) -> list[Section]:
        """Decode the sections of a frame payload; its correlations are added to ``batch``.

        :raises WireError: when the bytes are not sections of this graph.
        :raises NodeOutputError: when a record does not match its class: the fault of its producer.
        """
        try:
            return [self._from_wire(batch, wire) for wire in _decode_sections(data)]
        except RunError:
            raise
        except Exception as error:
            # Arbitrary bytes may raise anything.
            raise WireError(type(error).__name__) from error

    def _from_wire(self, batch: Batch, wire: _WireSection) -> Section:
        consumers = self._consumers.get((wire.producer, wire.type))
        if consumers is None or wire.target not in (None, *consumers):
            raise WireError("no such edge")
        keys: Sequence[Key] | None = self._decode_keys(wire.keys)
        if keys is None:
            keys = range(batch.first, batch.last + 1)
        for index, correlation in wire.correlations:
            batch.correlations[keys[index]] = correlation
        payload = self._types[wire.type]
        producer = self._producers[wire.producer]
        try:
            items = self._decoder(wire.type)(wire.items)
        except Exception:
            # Any exception: the __post_init__ of a payload runs here on unchecked values.
            refused = undeclared(producer, payload, keys, wire.items)
            if refused is None:
                raise
            raise refused from None
        if len(keys) != len(items):
            raise WireError("keys and items differ in number")
        return Section(producer, payload, wire.target, keys, items)

    def _decoder(self, index: int) -> Any:
        decoder = self._decoders.get(index)
        if decoder is None:
            decoder = self._decoders[index] = decoder_of(self._types[index].annotation)
        return decoder


def _encoded(section: Section, items: Sequence[Any]) -> bytes:
    try:
        return _encode(items)
    except UNSENDABLE as error:
        raise unsendable(section) or WireError(type(error).__name__) from None
