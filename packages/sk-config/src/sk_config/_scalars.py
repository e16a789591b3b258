"""Numbers and booleans that a placeholder brings in as text, where a field wants one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic_core import ErrorDetails

from sk_config._parse import parse_document
from sk_config._path import Path

_TAKES: Final[dict[str, tuple[type, ...]]] = {
    "int_type": (int,),
    "float_type": (int, float),
    "bool_type": (bool,),
}


def set_scalars(data: Any, errors: Iterable[ErrorDetails], whole: Iterable[Path]) -> Iterator[Path]:
    """Set, in `data` itself, what its fields refused as texts, and give the paths of those.

    `whole` are the paths of values that are one placeholder each: no other text is looked at. What
    it gave is read as in YAML.
    """
    candidates = frozenset(whole)
    for error in errors:
        path, takes = error["loc"], _TAKES.get(error["type"])
        if takes is None or path not in candidates or not isinstance(error["input"], str):
            continue
        document = parse_document(error["input"], "yaml")
        if not document.findings and type(document.value) in takes:
            holder = data
            for part in path[:-1]:
                holder = holder[part]
            holder[path[-1]] = document.value
            yield path
