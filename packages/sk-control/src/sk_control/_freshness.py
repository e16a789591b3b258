"""Refusing replays on a control session, by nonce, time and order."""

from __future__ import annotations

import threading

from sk_transport import ReplayGuard


class SessionGuard:
    """Admits each message of one worker and direction once. Thread-safe.

    Within the TTL a message is judged by its nonce. One that is older is refused, unless it was
    signed after everything that was admitted: as the messages of a session come in the order in
    which they were signed, such a one is no replay but was delayed. An end that was suspended for
    longer than the TTL finds messages of that kind waiting, and a run could not go on without some
    of them (`drained`).
    """

    def __init__(self, *, ttl_seconds: float, capacity: int) -> None:
        self._nonces = ReplayGuard(ttl_seconds=ttl_seconds, capacity=capacity)
        self._ttl_ns = round(ttl_seconds * 1_000_000_000)
        self._latest_ns: int | None = None
        self._lock = threading.Lock()

    def admit(self, nonce: bytes, time_ns: int, now_ns: int) -> None:
        """Admit a message signed at `time_ns`, seen at `now_ns`; the first must be within the TTL.

        Raises as `ReplayGuard.admit` does.
        """
        with self._lock:
            latest = self._latest_ns
            if latest is None or not latest < time_ns < now_ns - self._ttl_ns:
                self._nonces.admit(nonce, time_ns, now_ns)
            self._latest_ns = time_ns if latest is None else max(latest, time_ns)
