"""Rules for the class of a state: instantiated without arguments, and anew for each run."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator
from typing import Any

from sk_kernel._declare.signature import check_plain_init, constructor_parameters
from sk_kernel.errors import DefinitionError

#: Types whose values are changed in place.
_CONTAINERS = (list, dict, set, bytearray, deque)


def check_state_class(name: str, cls: type) -> None:
    """Reject a class whose instances would not be separate for each worker and run.

    :raises DefinitionError: when the class cannot be instantiated without arguments, or has a
        mutable class attribute, which all instances share and which outlives a run.
    """
    check_plain_init("state", name, cls)
    parameters, _ = constructor_parameters(cls)
    required = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if required:
        raise DefinitionError("state", name, f"needs arguments: {', '.join(required)}")
    if common := sorted(_in_common(cls)):
        problem = (
            f"has {', '.join(common)} in common for all instances: make it in __init__, or write a"
            " dataclass or a msgspec.Struct (a constant: in capitals, or as a ClassVar)"
        )
        raise DefinitionError("state", name, problem)


def _in_common(cls: type) -> Iterator[str]:
    for base in cls.__mro__[:-1]:
        annotations = inspect.get_annotations(base)
        for name, value in vars(base).items():
            own = not name.startswith("__") and not name.isupper()
            if own and isinstance(value, _CONTAINERS) and not _is_constant(annotations.get(name)):
                yield name


def _is_constant(annotation: Any) -> bool:
    return any(word in str(annotation) for word in ("ClassVar", "Final"))
