"""What a source's read has given: whether it is anything, and all of it in a list of its own."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

from sk_kernel._graph.graph import SOURCE
from sk_kernel.errors import AdapterFailedError


def is_empty(given: Any) -> bool:
    """Whether a read has ended the input.

    :raises AdapterFailedError: for what has no length, and so would never end it: None, which a
        read that forgets to return gives, or an iterator.
    """
    if not isinstance(given, Sized):
        problem = "an empty sequence ends the input, and this has no length: return a list"
        raise AdapterFailedError(SOURCE, "read", type(given).__name__, problem)
    return len(given) == 0


def listed(payloads: Any) -> Sequence[Any]:
    """A list of its own: what the source gave may be filled anew by the next read."""
    return payloads if type(payloads) is tuple else list(payloads)
