"""Nonces that are never used twice."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable


def counting_nonces() -> Callable[[], bytes]:
    """Return a source of 16-byte nonces: 8 random bytes, drawn once, and a counter of 8 bytes.

    They are unique within one source for certain, and two sources share any with a chance of 2^-64.
    They need not be secret: the signature covers them. A `SequenceGuard` admits them in this order
    only. None takes a system call. Thread-safe.
    """
    series = secrets.token_bytes(8)
    count = itertools.count().__next__
    return lambda: series + count().to_bytes(8, "big")
