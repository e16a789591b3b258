"""Checks of the value that a source's ``read`` returned."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

from sk_kernel._graph.graph import SOURCE
from sk_kernel.errors import AdapterFailedError


def is_empty(given: Any) -> bool:
    """Return whether a read has ended the input.

    :raises AdapterFailedError: for a value without a length, which would never end the input: an
        iterator, or the None of a ``read`` that forgets to return.
    """
    if not isinstance(given, Sized):
        problem = "an empty sequence ends the input, and this has no length: return a list"
        raise AdapterFailedError(SOURCE, "read", type(given).__name__, problem)
    return len(given) == 0


def listed(payloads: Any) -> Sequence[Any]:
    """Return the payloads as a list of our own: the source may refill its list at the next read."""
    return payloads if type(payloads) is tuple else list(payloads)
