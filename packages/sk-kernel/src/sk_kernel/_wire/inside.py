"""Iterate over the parts of a value, for errors that name the place of a part within it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

MISSING: Final = object()
"""Stands for the value of a field that is not set."""

Part = tuple[str, Any]
"""A part of a value, preceded by the step that leads to it: a text that holds no data."""


def parts_of(value: Any) -> list[Part] | None:
    """Return the parts of a struct, dataclass, tuple, list or mapping; None for any other value."""
    if isinstance(value, msgspec.Struct):
        return _named(value, value.__struct_fields__)
    if dataclasses.is_dataclass(value):
        return _named(value, [field.name for field in dataclasses.fields(value)])
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _named(value, value._fields)
    if isinstance(value, list | tuple):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        pairs = ([(" (a key)", key), ("[...]", item)] for key, item in value.items())
        return [part for pair in pairs for part in pair]
    return None


def _named(value: Any, names: Iterable[str]) -> list[Part]:
    return [(f".{name}", getattr(value, name, MISSING)) for name in names]
