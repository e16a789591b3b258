"""Refusing replays by nonce and time: a nonce is remembered for as long as it could pass."""

from __future__ import annotations

import threading
from collections import deque

from sk_transport._limits import require_int, require_seconds
from sk_transport.errors import ExpiredFrameError, ReplayedNonceError, ReplayGuardFullError


class ReplayGuard:
    """Admits each nonce of a sender once, if its time is at most `ttl_seconds` from now.

    It remembers `capacity` nonces of each sender and forgets one only when its time alone would
    refuse it: a sender whose memory is full is refused (it fails closed), and the others are not. A
    clock that is set back admits nothing again: now is the latest time that was ever seen. O(1)
    amortised. Thread-safe; one guard may serve many channels.
    """

    def __init__(self, *, ttl_seconds: float, capacity: int) -> None:
        self._ttl_ns = require_seconds("ttl_seconds", ttl_seconds)
        require_int("nonce capacity", capacity, 1, 1 << 40)
        self.ttl_seconds = ttl_seconds
        self.capacity = capacity
        self._latest_ns = 0
        self._seen: dict[str, set[bytes]] = {}
        # (sender, nonce, last time at which it could pass), each queue in the order of expiry. A
        # frame of the past can pass for one more TTL at most. One that is dated ahead can until its
        # own time plus TTL, which is two from now at most.
        self._recent: deque[tuple[str, bytes, int]] = deque()
        self._ahead: deque[tuple[str, bytes, int]] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._recent) + len(self._ahead)

    def admit(self, nonce: bytes, time_ns: int, now_ns: int, sender: str = "") -> None:
        """Remember the nonce of a frame that `sender` signed at `time_ns`, seen at `now_ns`.

        Raises `ExpiredFrameError` for a time that is more than the TTL away (the guard cannot vouch
        for it), `ReplayedNonceError` for a nonce that it remembers, `ReplayGuardFullError` when it
        can remember no more of this sender.
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
