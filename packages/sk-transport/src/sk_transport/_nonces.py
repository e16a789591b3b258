"""Nonces that are never used twice."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable


def counting_nonces() -> Callable[[], bytes]:
    """Return a source of 16-byte nonces: 8 random bytes, drawn once, and a counter of 8 bytes.

    Nonces of one source are always unique, and two sources share any with a probability of 2^-64.
    They need not be secret, as the signature covers them. A `SequenceGuard` accepts them in this
    order only. Making a nonce needs no system call. Thread-safe.
    """
    series = secrets.token_bytes(8)
    count = itertools.count().__next__
    return lambda: series + count().to_bytes(8, "big")
