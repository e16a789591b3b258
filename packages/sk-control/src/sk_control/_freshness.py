"""Which messages of a session are fresh: none comes again, and none out of its time."""

from __future__ import annotations

import threading

from sk_transport import ReplayGuard


class SessionGuard:
    """Judges the messages of one worker and direction by their nonces and times. Thread-safe.

    What is within the TTL is judged by its nonce. What is older is too old, unless it was signed
    after everything that was accepted: messages of a session come in the order in which they were
    signed, so that is no replay, but delay. An end that was suspended for longer than the TTL finds
    the last words of the other one so, and the run hangs on some of them.
    """

    def __init__(self, *, ttl_seconds: float, capacity: int) -> None:
        self._nonces = ReplayGuard(ttl_seconds=ttl_seconds, capacity=capacity)
        self._ttl_ns = round(ttl_seconds * 1_000_000_000)
        self._latest_ns: int | None = None
        self._lock = threading.Lock()

    def admit(self, nonce: bytes, time_ns: int, now_ns: int) -> None:
        """Accept a message signed at `time_ns`, seen at `now_ns`.

        The first one must be within the TTL, whatever it is. Raises as `ReplayGuard.admit` does.
        """
        with self._lock:
            latest = self._latest_ns
            if latest is None or not latest < time_ns < now_ns - self._ttl_ns:
                self._nonces.admit(nonce, time_ns, now_ns)
            self._latest_ns = time_ns if latest is None else max(latest, time_ns)
