"""Which payload types can be sent to another process, and come back as what they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import GenericAlias
from typing import Any

import msgspec

from sk_kernel._graph import Graph
from sk_kernel._specs import PayloadType
from sk_kernel.errors import Fault


def decoder_of(annotation: Any) -> Any:
    """What decodes an array of payloads of one declared type."""
    return msgspec.msgpack.Decoder(GenericAlias(list, (annotation,))).decode


def wire_faults(graph: Graph, crossing: Iterable[tuple[str, type]]) -> list[Fault]:
    """The payload types among ``crossing`` (producer, class) that cannot be sent to a process.

    Or that are not wholly typed: of a bare ``list`` or an ``Any`` the receiver would not know what
    was in it, and make a list of a tuple.
    """
    faults = []
    for producer, cls in dict.fromkeys(crossing):
        payload = next(t for t in graph.emitted(producer) if t.cls is cls)
        try:
            decoder_of(payload.annotation)
            info = msgspec.inspect.type_info(payload.annotation)
        except (TypeError, NameError) as error:
            faults.append(_foreign_fault(producer, payload, [str(error)]))
            continue
        foreign, untyped = set[str](), set[str]()
        _look(info, payload.name, foreign, untyped, [])
        if foreign:
            faults.append(_foreign_fault(producer, payload, sorted(foreign)))
        if untyped:
            faults.append(_untyped_fault(producer, payload, sorted(untyped)))
    return faults


def _foreign_fault(producer: str, payload: PayloadType, foreign: list[str]) -> Fault:
    wanted = "a type that MessagePack carries (msgspec.Struct, dataclass)"
    inner = "" if foreign == [payload.name] else f" with {', '.join(foreign)}"
    return Fault(producer, "not_portable", wanted, f"{payload.name}{inner}")


def _untyped_fault(producer: str, payload: PayloadType, places: list[str]) -> Fault:
    wanted = (
        "a type for everything that goes to another process: list[int], dict[str, A | B], not"
        " list, dict or Any (what has no type goes as the bytes that your nodes make of it)"
    )
    return Fault(
        producer, "not_portable", wanted, f"{payload.name}, untyped in {', '.join(places)}"
    )


def _look(info: Any, place: str, foreign: set[str], untyped: set[str], seen: list[Any]) -> None:
    """Collect the classes within a type that MessagePack knows nothing of, and what has no type."""
    cls = info.cls if isinstance(info, msgspec.inspect.CustomType) else None
    if isinstance(info, msgspec.inspect.AnyType) or cls is object:
        untyped.add(place)
    elif cls is not None:
        foreign.add(cls.__qualname__)
    elif not any(info is known for known in seen):  # a type may hold itself
        seen.append(info)
        for inner, where in _parts(info, place):
            _look(inner, where, foreign, untyped, seen)


def _parts(info: msgspec.inspect.Type, place: str) -> Iterator[tuple[msgspec.inspect.Type, str]]:
    """The types within a type, and where each of them is."""
    owner = getattr(info, "cls", None)
    for name in info.__struct_fields__:
        value = getattr(info, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, msgspec.inspect.Field):
                yield part.type, f"{getattr(owner, '__name__', place)}.{part.name}"
            elif isinstance(part, msgspec.inspect.Type):
                yield part, place
