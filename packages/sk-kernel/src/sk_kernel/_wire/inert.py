"""Which payloads are made of their bytes without any code of the application being run."""

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
    """Whether a payload of a declared type is: where that is not plain to see, it is not.

    A ``__post_init__`` is such code, a factory of a default, an enumeration's ``_missing_``, and
    what makes something hashable that is put into a set.
    """
    try:
        info = inspect.type_info(annotation)
    except NO_TYPES:
        return False
    known: list[inspect.Type] = []
    left = [info]
    while left:
        each = left.pop()
        if any(each is one for one in known):  # a type may hold itself
            continue
        known.append(each)
        if not isinstance(each, _SCALARS):
            inner = _inner(each)
            if inner is None:
                return False
            left += inner
    return True


def _inner(info: inspect.Type) -> list[inspect.Type] | None:
    """The types that one is made of; None where making it may run anything."""
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
