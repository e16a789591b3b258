"""Access to data that may be malformed: a value of the wrong type counts as empty.

Used by the rules between fields; the check of the value's own field reports its wrong type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping_or_empty(value: object) -> Mapping[str, Any]:
    """Return a mapping as it is, and an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}


def items_or_empty(value: object) -> list[Any] | tuple[Any, ...]:
    """Return a list or tuple as it is, and an empty one for any other value."""
    return value if isinstance(value, list | tuple) else ()


def is_left_out(value: object) -> bool:
    """Whether a list is null or empty; a value of any other type counts as present."""
    return value is None or (isinstance(value, list | tuple) and not value)
