"""Check which payload types can be sent to another process and are decoded there unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import GenericAlias
from typing import Any

import msgspec

from sk_kernel._declare.specs import PayloadType
from sk_kernel._graph.entrances import only_asked
from sk_kernel._graph.graph import SINK, Graph
from sk_kernel._graph.serving import is_reply_sink, is_request_source
from sk_kernel.errors import Fault

#: The exceptions of msgspec for annotations of unknown types, or that it cannot resolve.
NO_TYPES = (TypeError, NameError, AttributeError, SyntaxError, ValueError, RuntimeError)


def decoder_of(annotation: Any) -> Any:
    """Return a function that decodes an array of payloads of one declared type."""
    return msgspec.msgpack.Decoder(GenericAlias(list, (annotation,))).decode


def wire_faults(graph: Graph, crossing: Iterable[tuple[str, type]]) -> list[Fault]:
    """Return a fault for each payload type that cannot be sent, or would be decoded differently.

    The receiver does not know the element types of a bare ``list`` or an ``Any``, and decodes a
    tuple in it as a list. Payloads that callers send and receive also go between processes.

    :param crossing: the payloads that one process sends to another, as (producer, class).
    """
    sent = [
        (producer, next(t for t in graph.emitted(producer) if t.cls is cls))
        for producer, cls in crossing
    ]
    return portability_faults(graph, [*sent, *only_asked(graph), *_replies(graph)])


def _replies(graph: Graph) -> Iterator[tuple[str, PayloadType]]:
    """Yield (producer, type) of replies; nothing unless the source or sink is made for requests."""
    if is_request_source(graph.source) or is_reply_sink(graph.sink):
        yield from ((e.producer, e.payload) for e in graph.edges if e.consumer == SINK)


def portability_faults(graph: Graph, payloads: Iterable[tuple[str, PayloadType]]) -> list[Fault]:
    """Return the faults of payload types, each given with the vertex that its fault names."""
    faults = []
    for vertex, payload in dict.fromkeys(payloads):
        foreign, untyped = _problems(payload)
        if foreign:
            faults.append(_foreign_fault(vertex, payload, foreign, graph.place(vertex)))
        if untyped:
            faults.append(_untyped_fault(vertex, payload, untyped, graph.place(vertex)))
    return faults


def is_portable(payload: PayloadType) -> bool:
    """Whether a payload type can be sent to another process and is decoded there unchanged."""
    return not any(_problems(payload))


def _problems(payload: PayloadType) -> tuple[list[str], list[str]]:
    """Return (classes in a type that MessagePack cannot carry, places without a type)."""
    try:
        decoder_of(payload.annotation)
        info = msgspec.inspect.type_info(payload.annotation)
    except NO_TYPES as error:
        return [str(error)], []
    foreign, untyped = set[str](), set[str]()
    _look(info, payload.name, foreign, untyped, [])
    return sorted(foreign), sorted(untyped)


def _foreign_fault(vertex: str, payload: PayloadType, foreign: list[str], place: str) -> Fault:
    wanted = "a type that MessagePack carries (msgspec.Struct, dataclass)"
    if any("union" in problem.lower() for problem in foreign):
        wanted += ", in a union classes that are told apart (msgspec.Struct with tag=True)"
    got = ", ".join(foreign)
    if foreign not in ([payload.name], [_class_name(payload.cls)]):
        got = f"{payload.name} with {got}"
    return Fault(vertex, "not_portable", wanted, got, place)


def _class_name(cls: type) -> str:
    """Return the name of a class that MessagePack cannot carry; it says so if it is pydantic's."""
    is_model = any(base.__module__.partition(".")[0] == "pydantic" for base in cls.__mro__)
    return f"{cls.__qualname__}, a model of pydantic" if is_model else cls.__qualname__


def _untyped_fault(vertex: str, payload: PayloadType, parts: list[str], place: str) -> Fault:
    wanted = (
        "a type for everything that goes to another process: list[int], dict[str, A | B], not"
        " list, dict or Any (what has no type goes as the bytes that your nodes make of it)"
    )
    got = f"{payload.name}, untyped in {', '.join(parts)}"
    return Fault(vertex, "not_portable", wanted, got, place)


def _look(info: Any, place: str, foreign: set[str], untyped: set[str], seen: list[Any]) -> None:
    """Collect the classes in a type that MessagePack cannot carry, and places without a type."""
    cls = info.cls if isinstance(info, msgspec.inspect.CustomType) else None
    if isinstance(info, msgspec.inspect.AnyType) or cls is object:
        untyped.add(place)
    elif cls is not None:
        foreign.add(_class_name(cls))
    elif not any(info is known for known in seen):  # a type may contain itself
        seen.append(info)
        foreign.update(_left_out(info))
        for inner, where in _parts(info, place):
            _look(inner, where, foreign, untyped, seen)


def _left_out(info: msgspec.inspect.Type) -> Iterator[str]:
    """Yield the declared fields that would not be sent: private fields of attrs classes."""
    cls: Any = getattr(info, "cls", None)
    for field in getattr(cls, "__attrs_attrs__", ()):
        if field.name.startswith("_"):
            yield f"the private field {cls.__qualname__}.{field.name} of attrs, which is not sent"


def _parts(info: msgspec.inspect.Type, place: str) -> Iterator[tuple[msgspec.inspect.Type, str]]:
    """Yield the types within a type, each with its place."""
    owner = getattr(info, "cls", None)
    for name in info.__struct_fields__:
        value = getattr(info, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, msgspec.inspect.Field):
                yield part.type, f"{getattr(owner, '__name__', place)}.{part.name}"
            elif isinstance(part, msgspec.inspect.Type):
                yield part, place
