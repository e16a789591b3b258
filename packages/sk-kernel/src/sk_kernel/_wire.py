"""Sections to bytes and back: MessagePack, column by column, no object but by its declared type.

A frame's payload is an array of sections ``[producer, type, target, keys, correlations, items]``.
``producer`` and ``type`` are indices into the graph's own lists, which every process derives from
the same modules; ``keys`` is nil when they are all the batch's sequence numbers. ``items`` is the
encoded array of payloads within a binary: a reader that looks for its end has not to look into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import GenericAlias
from typing import Annotated, Any

import msgspec

from sk_kernel._batch import Batch, Section
from sk_kernel._envelope import Correlation, Key, root_of
from sk_kernel._graph import Graph
from sk_kernel.errors import Fault, NodeOutputError, RecordTooLargeError, WireError

_Index = Annotated[int, msgspec.Meta(ge=0)]
_Nested = Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]


class _WireSection(msgspec.Struct, array_like=True, gc=False):
    producer: _Index
    type: _Index
    target: str | None
    keys: msgspec.Raw
    correlations: list[tuple[_Index, Correlation]]
    items: bytes


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

    def encode(self, batch: Batch, sections: Iterable[Section], max_bytes: int) -> list[bytes]:
        """The sections as one frame payload, or as several where one would be over ``max_bytes``.

        :raises RecordTooLargeError: when one record alone is.
        :raises NodeOutputError: when MessagePack has no form for a record.
        """
        several = list(sections)
        return self._fit(batch, several, max_bytes) if several else [_encode([])]

    def _fit(self, batch: Batch, sections: list[Section], max_bytes: int) -> list[bytes]:
        data = _encode([self._to_wire(batch, s) for s in sections])
        if len(data) <= max_bytes:
            return [data]
        if len(sections) > 1:
            return [part for s in sections for part in self._fit(batch, [s], max_bytes)]
        (section,) = sections
        if len(section.items) == 1:
            sequence = root_of(section.keys[0])
            error = RecordTooLargeError(section.producer, sequence, len(data), max_bytes)
            raise error.about(section.keys[0])
        middle = len(section.items) // 2
        first = section._replace(keys=section.keys[:middle], items=section.items[:middle])
        second = section._replace(keys=section.keys[middle:], items=section.items[middle:])
        return self._fit(batch, [first], max_bytes) + self._fit(batch, [second], max_bytes)

    def _to_wire(self, batch: Batch, section: Section) -> _WireSection:
        known = batch.correlations
        dense = type(section.keys) is range and len(section.keys) == batch.last - batch.first + 1
        return _WireSection(
            self._producer_index[section.producer],
            self._type_index[section.payload.cls],
            section.target,
            msgspec.Raw(_encode(None if dense else list(section.keys))),
            [(i, known[k]) for i, k in enumerate(section.keys) if k in known] if known else [],
            _encoded(section),
        )

    def decode(self, batch: Batch, data: bytes | memoryview) -> list[Section]:
        """The sections of a frame payload; what it says of its records is put into ``batch``.

        :raises WireError: when the bytes are not sections of this graph.
        """
        try:
            return [self._from_wire(batch, wire) for wire in _decode_sections(data)]
        except WireError:
            raise
        except Exception as error:
            # Bytes of any kind, and whatever the __post_init__ of a payload makes of them.
            raise WireError(type(error).__name__) from error

    def _from_wire(self, batch: Batch, wire: _WireSection) -> Section:
        consumers = self._consumers.get((wire.producer, wire.type))
        if consumers is None or wire.target not in (None, *consumers):
            raise WireError("no such edge")
        items = self._decoder(wire.type)(wire.items)
        keys: Sequence[Key] | None = self._decode_keys(wire.keys)
        if keys is None:
            keys = range(batch.first, batch.last + 1)
        if len(keys) != len(items):
            raise WireError("keys and items differ in number")
        for index, correlation in wire.correlations:
            batch.correlations[keys[index]] = correlation
        payload = self._types[wire.type]
        return Section(self._producers[wire.producer], payload, wire.target, keys, items)

    def _decoder(self, index: int) -> Any:
        decoder = self._decoders.get(index)
        if decoder is None:
            decoder = self._decoders[index] = _decoder_of(self._types[index].annotation)
        return decoder


def _encoded(section: Section) -> bytes:
    try:
        return _encode(section.items)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        # An object of no known type, a lone surrogate, an integer over 64 bits.
        for key, item in zip(section.keys, section.items, strict=True):
            _encoded_alone(section, key, item)
        raise WireError(type(error).__name__) from error


def _encoded_alone(section: Section, key: Key, item: Any) -> None:
    try:
        _encode(item)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        got = f"{section.payload.name} that MessagePack cannot carry ({type(error).__name__})"
        declared = section.payload.name
        refused = NodeOutputError(section.producer, got, declared, root_of(key))
        raise refused.about(key) from error


def _decoder_of(annotation: Any) -> Any:
    return msgspec.msgpack.Decoder(GenericAlias(list, (annotation,))).decode


def wire_faults(graph: Graph, crossing: Iterable[tuple[str, type]]) -> list[Fault]:
    """The payload types among ``crossing`` (producer, class) that cannot be sent to a process."""
    faults = []
    for producer, cls in dict.fromkeys(crossing):
        payload = next(t for t in graph.emitted(producer) if t.cls is cls)
        try:
            _decoder_of(payload.annotation)
            foreign = sorted(set(_foreign(msgspec.inspect.type_info(payload.annotation), [])))
        except (TypeError, NameError) as error:
            foreign = [str(error)]
        if foreign:
            wanted = (
                f"a type that MessagePack carries (msgspec.Struct, dataclass), not {payload.name}"
            )
            if foreign != [payload.name]:
                wanted += f" with {', '.join(foreign)}"
            faults.append(Fault(producer, "not_portable", wanted))
    return faults


def _foreign(info: Any, seen: list[Any]) -> Iterator[str]:
    """The names of classes within a type that MessagePack knows nothing of."""
    if isinstance(info, tuple):
        for part in info:
            yield from _foreign(part, seen)
    elif isinstance(info, msgspec.inspect.CustomType):
        yield info.cls.__qualname__
    elif isinstance(info, msgspec.inspect.Type | msgspec.inspect.Field):
        if any(info is known for known in seen):
            return  # a type that holds itself
        seen.append(info)
        for name in info.__struct_fields__:
            yield from _foreign(getattr(info, name), seen)
