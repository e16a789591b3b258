"""The time between a request to stop and the drain that it begins."""

from __future__ import annotations

from collections.abc import Callable


class DrainTimer:
    """An alarm of the supervisor's loop that calls ``begin`` once; until then work goes on.

    That time is ``runtime.platform.health.drain_delay_seconds``. Readiness is withdrawn at the
    request already, and an orchestrator needs a moment to hear of that and to send its callers
    elsewhere: until then they still come here.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._at: float | None = None

    def begin_at(self, when: float) -> None:
        """Have the drain begin then, on the loop's clock."""
        self._at = when

    def cancel(self) -> None:
        """Begin no drain any more: the run ends in another way. Legal at any time."""
        self._at = None

    def due(self) -> float | None:
        """When it begins; None where nothing is to begin."""
        return self._at

    def ring(self, now: float) -> None:
        """It begins."""
        self._at = None
        self._begin()
