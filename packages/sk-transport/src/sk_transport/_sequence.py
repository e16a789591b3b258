"""Refusing replays on a link, by order: what is cheap where a stream keeps it."""

from __future__ import annotations

import math
import threading

from sk_transport._wire import NONCE_BYTES
from sk_transport.errors import ReplayedNonceError

_SERIES_BYTES = NONCE_BYTES // 2


class SequenceGuard:
    """Admits each nonce of one signer at most once, in rising order, for as long as it lives.

    For frames of one `Signer` that arrive in the order in which they were sealed, as on one link:
    then a nonce that does not follow the last one was seen before. Needs no capacity and no TTL, so
    no rate of frames fills it, which a `ReplayGuard` cannot promise. `after` is a nonce of the same
    signer that was admitted elsewhere; without it the first frame decides which signer it is, so
    the channel's names or key must then be new with each signer. Thread-safe.
    """

    ttl_seconds = math.inf

    def __init__(self, after: bytes | None = None) -> None:
        self._series = after[:_SERIES_BYTES] if after is not None else None
        self._last = after[_SERIES_BYTES:] if after is not None else b""
        self._lock = threading.Lock()

    def admit(self, nonce: bytes, time_ns: int, now_ns: int) -> None:
        """Remember the nonce of a frame signed at `time_ns`, seen at `now_ns`.

        Raises `ReplayedNonceError` for one that is not later than the last, or of another series.
        """
        series, count = nonce[:_SERIES_BYTES], nonce[_SERIES_BYTES:]
        with self._lock:
            # Counters are big endian and of one length: they compare as bytes.
            if self._series not in (None, series) or count <= self._last:
                raise ReplayedNonceError((now_ns - time_ns) / 1e9)
            self._series, self._last = series, count
