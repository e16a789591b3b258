"""The stop requests of a run, as far as they change anything."""

from __future__ import annotations


class StopRequests:
    """Keeps the first request, and the first forced one. Written by one thread, read by any.

    In the memory profile signal handlers write it, too, so it uses no lock.
    """

    def __init__(self) -> None:
        self._reasons: dict[bool, str] = {}

    def take(self, reason: str, *, force: bool) -> bool:
        """Record a request; return whether it is the first, or the first forced one."""
        news = force not in self._reasons if force else not self._reasons
        if news:
            self._reasons[force] = reason
        return news

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of the requests that changed anything, in order."""
        return tuple(self._reasons.values())

    @property
    def forced(self) -> bool:
        """Whether a forced stop was requested."""
        return True in self._reasons
