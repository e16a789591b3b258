"""Reading data that may be malformed: what is of the wrong type counts as empty.

For the rules between fields; that a value has the wrong type is for the check of its own field to
say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping_or_empty(value: object) -> Mapping[str, Any]:
    """Give a mapping as it is, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def items_or_empty(value: object) -> list[Any] | tuple[Any, ...]:
    """Give a list or tuple as it is, and an empty one for anything else."""
    return value if isinstance(value, list | tuple) else ()


def is_left_out(value: object) -> bool:
    """Tell whether a list is null or empty; anything else was meant to be something."""
    return value is None or (isinstance(value, list | tuple) and not value)
