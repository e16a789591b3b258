"""Detection of replays by order, on a link that preserves the order of its frames."""

from __future__ import annotations

import math
import threading

from sk_transport._wire import NONCE_BYTES
from sk_transport.errors import ReplayedNonceError

_SERIES_BYTES = NONCE_BYTES // 2


class SequenceGuard:
    """Admits each nonce of one signer once, in increasing order.

    It is for frames of one `Signer`, or messages with `counting_nonces`, that arrive in the order
    in which they were signed, as on one link: a nonce not greater than the last one is a replay.
    It has no capacity and no TTL, so unlike a `ReplayGuard` it cannot become full. `after` is a
    nonce of the same signer that was admitted elsewhere, such as that of its HELLO. Without `after`
    the first nonce determines the signer, and each new signer needs a channel with new names or a
    new key. Thread-safe.
    """

    ttl_seconds = math.inf

    def __init__(self, after: bytes | None = None) -> None:
        self._series = after[:_SERIES_BYTES] if after is not None else None
        self._last = after[_SERIES_BYTES:] if after is not None else b""
        self._lock = threading.Lock()

    def admit(self, nonce: bytes, time_ns: int, now_ns: int, _sender: str = "") -> None:
        """Admit the nonce of a frame signed at `time_ns` and checked at `now_ns`.

        Raises `ReplayedNonceError` for a nonce that is not greater than the last one, or is of
        another signer. The first half of a nonce identifies the signer, so the sender's name is not
        needed.
        """
        series, count = nonce[:_SERIES_BYTES], nonce[_SERIES_BYTES:]
        with self._lock:
            # Counters are big endian and of equal length, so they can be compared as bytes.
            if self._series not in (None, series) or count <= self._last:
                raise ReplayedNonceError((now_ns - time_ns) / 1e9)
            self._series, self._last = series, count
