"""Reading annotations: which payload types they declare, and how many payloads."""

from __future__ import annotations

import collections.abc as abc
import inspect
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from sk_kernel._declare.specs import Emission, PayloadType
from sk_kernel._record.envelope import Envelope
from sk_kernel.errors import DefinitionError

_LISTS = (list, abc.Sequence, abc.Iterable, abc.Collection)
"""The types that an annotation of a list may have."""
_AS_PAYLOAD = " (one that is a payload needs a class: a NamedTuple, a dataclass)"
_SEVERAL = (*_LISTS, tuple, abc.Iterator, abc.Generator)


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation alone."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def returned(what: str, name: str, function: Callable[..., Any], hints: dict[str, Any]) -> Emission:
    """Return what ``function`` emits, by its return annotation in ``hints``, which is required."""
    if "return" not in hints:
        raise DefinitionError(what, name, f"{function.__qualname__} has no return annotation")
    if inspect.isasyncgenfunction(function):
        raise DefinitionError(what, name, "an asynchronous generator cannot give payloads")
    emits = emission(what, name, hints["return"])
    if inspect.isgeneratorfunction(function) and not emits.many:
        problem = f"yields, so gives several payloads: write -> Iterator[{emits}]"
        raise DefinitionError(what, name, problem)
    return emits


def emission(what: str, name: str, annotation: Any) -> Emission:
    """Return what a return annotation declares."""
    members = [m for m in alternatives(annotation) if m is not type(None) and m is not None]
    several = [m for m in members if _gives_several(m)]
    if several and len(members) > 1:
        raise DefinitionError(what, name, f"{annotation!r} mixes one payload with several")
    optional = len(members) != len(alternatives(annotation))
    if not several:
        enveloped = any(typing.get_origin(m) is Envelope for m in members)
        payloads = _unique(payload_type(what, name, m) for m in members)
        return Emission(payloads, optional, False, enveloped)
    inner = emission(what, name, _items_of(what, name, several[0]))
    if inner.many or not inner.types:
        problem = f"{annotation!r} is no sequence of payloads{_AS_PAYLOAD}"
        raise DefinitionError(what, name, problem)
    return Emission(inner.types, optional or inner.optional, True, inner.enveloped)


def consumed(what: str, name: str, annotation: Any) -> tuple[PayloadType, ...]:
    """Return the payload types that a parameter accepts, one payload at a time."""
    accepted = emission(what, name, annotation)
    if accepted.many:
        problem = f"is given one payload at a time, not a sequence{_AS_PAYLOAD}"
        raise DefinitionError(what, name, problem)
    _require_bare(what, name, accepted)
    return accepted.types


def consumed_several(what: str, name: str, annotation: Any) -> tuple[PayloadType, ...]:
    """Return the payload types that a parameter accepts, a list of payloads at a time."""
    accepted = emission(what, name, annotation)
    _require_bare(what, name, accepted)
    if not accepted.many:
        problem = f"is given a list of payloads: write list[{accepted}], not {accepted}"
        raise DefinitionError(what, name, problem)
    if typing.get_origin(annotation) not in _LISTS:
        problem = f"is given a list of payloads: write {accepted}, not {annotation!r}"
        raise DefinitionError(what, name, problem)
    return accepted.types


def gives_each(annotation: Any) -> bool:
    """Return whether an annotation declares one collection of any length, which is never None.

    It does not if it is a union with ``None``, nor if it is a tuple of fixed length.
    """
    of_any_length = typing.get_origin(annotation) is not tuple or Ellipsis in typing.get_args(
        annotation
    )
    return len(alternatives(annotation)) == 1 and of_any_length


def payload_type(what: str, name: str, annotation: Any) -> PayloadType:
    """Return the payload type of an annotation; only concrete classes can be payloads."""
    origin = typing.get_origin(annotation)
    if origin is Envelope:
        return payload_type(what, name, typing.get_args(annotation)[0])
    cls = origin or annotation
    if not _is_concrete(cls):
        problem = (
            f"{annotation!r} is no concrete payload type: write a class, such as a dataclass or a"
            " msgspec.Struct (for an envelope: Envelope[T])"
        )
        raise DefinitionError(what, name, problem)
    return PayloadType(cls, annotation)


def _is_concrete(cls: Any) -> bool:
    return (
        isinstance(cls, type)
        and cls not in (object, Envelope, Any, type(None), *_SEVERAL)
        and not inspect.isabstract(cls)
        and not typing.is_typeddict(cls)
        and not getattr(cls, "_is_protocol", False)
    )


def _gives_several(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    return origin in _SEVERAL or (origin is None and annotation in _SEVERAL)


def _items_of(what: str, name: str, annotation: Any) -> Any:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple:
        arguments = tuple(a for a in arguments if a is not Ellipsis)
    elif arguments:
        arguments = arguments[:1]  # of a generator, the first argument: what it yields
    if not arguments:
        raise DefinitionError(what, name, f"{annotation!r} does not say what it holds")
    return typing.Union[arguments]  # noqa: UP007 - of a number known only now


def _require_bare(what: str, name: str, accepted: Emission) -> None:
    if accepted.enveloped:
        raise DefinitionError(what, name, "is given payloads: what is around them is in a Context")
    if accepted.droppable:
        raise DefinitionError(what, name, "is given payloads, and never None")


def _unique(payloads: Iterable[PayloadType]) -> tuple[PayloadType, ...]:
    return tuple(dict.fromkeys(payloads))
