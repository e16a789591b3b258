"""The delay between a stop request and the drain."""

from __future__ import annotations

from collections.abc import Callable


class DrainTimer:
    """An alarm of the supervisor's loop that calls ``begin`` once; until then the work goes on.

    The delay is ``runtime.platform.health.drain_delay_seconds``. The run reports itself as not
    ready as soon as the stop is requested, and an orchestrator needs a moment to notice that and to
    route callers elsewhere: until then they still call this run.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._at: float | None = None

    def begin_at(self, when: float) -> None:
        """Have the drain begin at ``when``, on the loop's clock."""
        self._at = when

    def cancel(self) -> None:
        """Begin no drain any more, because the run ends in another way. Legal at any time."""
        self._at = None

    def due(self) -> float | None:
        """When the drain begins; None if none is to begin."""
        return self._at

    def ring(self, now: float) -> None:
        """Begin the drain."""
        self._at = None
        self._begin()
