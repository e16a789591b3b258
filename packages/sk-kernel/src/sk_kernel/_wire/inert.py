"""Find payload types whose decoding runs no application code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from sk_kernel._wire.portable import NO_TYPES

_SCALARS: Final = (
    *(inspect.NoneType, inspect.BoolType, inspect.IntType, inspect.FloatType, inspect.StrType),
    *(inspect.BytesType, inspect.DecimalType, inspect.UUIDType, inspect.DateType),
)
_KEYS: Final = (inspect.StrType, inspect.IntType)
_FACTORIES: Final = (msgspec.NODEFAULT, list, dict, set)


def is_inert(annotation: Any) -> bool:
    """Whether payloads of a declared type are decoded without application code; False if in doubt.

    Application code is a ``__post_init__``, the factory of a default, the ``_missing_`` of an
    enumeration, or the ``__hash__`` of an element of a set.
    """
    try:
        info = inspect.type_info(annotation)
    except NO_TYPES:
        return False
    known: list[inspect.Type] = []
    left = [info]
    while left:
        each = left.pop()
        if any(each is one for one in known):  # a type may contain itself
            continue
        known.append(each)
        if not isinstance(each, _SCALARS):
            inner = _inner(each)
            if inner is None:
                return False
            left += inner
    return True


def _inner(info: inspect.Type) -> list[inspect.Type] | None:
    """Return the types within a type; None if creating an instance may run application code."""
    if isinstance(info, inspect.StructType):
        return list(_fields(info)) if _is_plain(info) else None
    if isinstance(info, inspect.ListType | inspect.VarTupleType):
        return [info.item_type]
    if isinstance(info, inspect.TupleType):
        return list(info.item_types)
    if isinstance(info, inspect.UnionType):
        return list(info.types)
    if isinstance(info, inspect.DictType):
        return [info.value_type] if isinstance(info.key_type, _KEYS) else None
    return None


def _is_plain(info: inspect.StructType) -> bool:
    made = all(any(field.default_factory is one for one in _FACTORIES) for field in info.fields)
    return made and not hasattr(info.cls, "__post_init__")


def _fields(info: inspect.StructType) -> Iterator[inspect.Type]:
    return (field.type for field in info.fields)
