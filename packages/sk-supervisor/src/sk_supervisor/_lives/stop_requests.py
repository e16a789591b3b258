"""The requests to stop a run: which of them change anything."""

from __future__ import annotations


class StopRequests:
    """The first one counts, and the first that is forced. Written by one thread, read by any.

    In the memory profile signal handlers write it, too, so it takes no lock.
    """

    def __init__(self) -> None:
        self._reasons: dict[bool, str] = {}

    def take(self, reason: str, *, force: bool) -> bool:
        """Note one; whether it changes anything: it is the first, or the first that is forced."""
        news = force not in self._reasons if force else not self._reasons
        if news:
            self._reasons[force] = reason
        return news

    @property
    def reasons(self) -> tuple[str, ...]:
        """Those of the requests that changed anything, in order."""
        return tuple(self._reasons.values())

    @property
    def forced(self) -> bool:
        """Whether the run is to end by force."""
        return True in self._reasons
