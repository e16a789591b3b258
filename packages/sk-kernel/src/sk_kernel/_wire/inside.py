"""What is in a value, part by part: for errors that say where in it something is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

MISSING: Final = object()
"""In the place of a part that is not there."""

Part = tuple[str, Any]
"""The step from a value to a part of it, without anything of the value's; and the part."""


def parts_of(value: Any) -> list[Part] | None:
    """The parts of what is made of named or numbered ones, or of pairs; None for anything else."""
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
