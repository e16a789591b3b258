"""The drain of a run that was asked to stop: begun once, when whoever sends work knows of it."""

from __future__ import annotations

from collections.abc import Callable


class Drain:
    """An alarm of the loop: between a request to stop and ``begin`` the work goes on as before.

    Readiness is withdrawn at the request. An orchestrator needs a moment to hear of that and to
    send its callers elsewhere, and until then they come here.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._at: float | None = None

    def begin_at(self, when: float) -> None:
        """Begin then, on the loop's clock."""
        self._at = when

    def cancel(self) -> None:
        """Do not begin any more: the end has come otherwise."""
        self._at = None

    def due(self) -> float | None:
        """When it begins; None where nothing is to begin."""
        return self._at

    def ring(self, now: float) -> None:
        """It begins."""
        self._at = None
        self._begin()
