"""Detection of replays by nonce and time."""

from __future__ import annotations

import threading
from collections import deque

from sk_transport._limits import require_int, require_seconds
from sk_transport.errors import ExpiredFrameError, ReplayedNonceError, ReplayGuardFullError


class ReplayGuard:
    """Admits each nonce of a sender once, if its time is at most `ttl_seconds` from now.

    It remembers up to `capacity` nonces of each sender, and forgets a nonce only when its time
    alone would cause it to be rejected. Nonces of a sender at capacity are rejected (it fails
    closed); other senders are not affected. Setting the clock back admits no nonce again: "now" is
    the latest time ever seen. O(1) amortised. Thread-safe; several channels may share a guard.
    """

    def __init__(self, *, ttl_seconds: float, capacity: int) -> None:
        self._ttl_ns = require_seconds("ttl_seconds", ttl_seconds)
        require_int("nonce capacity", capacity, 1, 1 << 40)
        self.ttl_seconds = ttl_seconds
        self.capacity = capacity
        self._latest_ns = 0
        self._seen: dict[str, set[bytes]] = {}
        # (sender, nonce, last time at which it could be admitted), each queue in order of expiry. A
        # frame dated in the past can be admitted for at most one more TTL. One dated in the future
        # can be until its own time plus the TTL, which is at most two TTLs from now.
        self._recent: deque[tuple[str, bytes, int]] = deque()
        self._ahead: deque[tuple[str, bytes, int]] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._recent) + len(self._ahead)

    def admit(self, nonce: bytes, time_ns: int, now_ns: int, sender: str = "") -> None:
        """Admit and remember the nonce of a frame that `sender` signed at `time_ns`.

        `now_ns` is the time of the check. Raises `ExpiredFrameError` for a time that is more than
        the TTL away (the nonce may have been forgotten), `ReplayedNonceError` for a remembered
        nonce, `ReplayGuardFullError` when this sender is at capacity.
        """
        with self._lock:
            now_ns = self._latest_ns = max(self._latest_ns, now_ns)
            age_ns = now_ns - time_ns
            if not -self._ttl_ns <= age_ns <= self._ttl_ns:
                raise ExpiredFrameError(age_ns / 1e9, self._ttl_ns / 1e9)
            self._forget(self._recent, now_ns)
            self._forget(self._ahead, now_ns)
            seen = self._seen.get(sender, set())
            if nonce in seen:
                raise ReplayedNonceError(age_ns / 1e9)
            if len(seen) >= self.capacity:
                raise ReplayGuardFullError(self.capacity, self._ttl_ns / 1e9)
            seen.add(nonce)
            self._seen[sender] = seen
            if age_ns >= 0:
                self._recent.append((sender, nonce, now_ns + self._ttl_ns))
            else:
                self._ahead.append((sender, nonce, now_ns + 2 * self._ttl_ns))

    def _forget(self, queue: deque[tuple[str, bytes, int]], now_ns: int) -> None:
        while queue and queue[0][2] < now_ns:
            sender, nonce, _ = queue.popleft()
            seen = self._seen[sender]
            seen.remove(nonce)
            if not seen:
                del self._seen[sender]
