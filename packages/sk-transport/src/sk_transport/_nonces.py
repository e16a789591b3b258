"""Nonces that never come twice."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable


def counting_nonces() -> Callable[[], bytes]:
    """Return a source of 16-byte nonces: 8 random bytes, drawn once, and a counter of 8 bytes.

    No system call per frame, unique for certain within one source and to 2^-64 between two.
    Thread-safe. They need to be unique, not secret: the signature covers them.
    """
    series = secrets.token_bytes(8)
    count = itertools.count().__next__
    return lambda: series + count().to_bytes(8, "big")
