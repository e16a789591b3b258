"""Refusing replays by order, on a link that keeps the order of its frames."""

from __future__ import annotations

import math
import threading

from sk_transport._wire import NONCE_BYTES
from sk_transport.errors import ReplayedNonceError

_SERIES_BYTES = NONCE_BYTES // 2


class SequenceGuard:
    """Admits each nonce of one signer once, in rising order, for as long as the guard lives.

    For frames of one `Signer`, or messages with `counting_nonces`, that arrive in the order in
    which they were signed, as on one link: a nonce that does not follow the last is a replay. There
    is no capacity and no TTL, so no rate of frames can fill it, as it can a `ReplayGuard`. `after`
    is a nonce of the same signer that was admitted elsewhere, as that of its HELLO; without it the
    first nonce decides which signer it is, and the channel's names or key must be new with each
    signer. Thread-safe.
    """

    ttl_seconds = math.inf

    def __init__(self, after: bytes | None = None) -> None:
        self._series = after[:_SERIES_BYTES] if after is not None else None
        self._last = after[_SERIES_BYTES:] if after is not None else b""
        self._lock = threading.Lock()

    def admit(self, nonce: bytes, time_ns: int, now_ns: int, _sender: str = "") -> None:
        """Remember the nonce of a frame signed at `time_ns`, seen at `now_ns`.

        Raises `ReplayedNonceError` for one that does not follow the last, or is another signer's;
        the series in the nonce identifies the signer, so the sender's name is not needed.
        """
        series, count = nonce[:_SERIES_BYTES], nonce[_SERIES_BYTES:]
        with self._lock:
            # Counters are big endian and of one length: they compare as bytes.
            if self._series not in (None, series) or count <= self._last:
                raise ReplayedNonceError((now_ns - time_ns) / 1e9)
            self._series, self._last = series, count
