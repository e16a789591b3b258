"""The health checks of one run, answered from its current status."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sk_kernel import RunStatus

from sk_supervisor._health import results as health
from sk_supervisor._health.pulse_check import ANSWER_SECONDS, PulseCheck
from sk_supervisor._health.results import Probe, ProbeResult


class HealthChecks:
    """Answers probes. For one event loop.

    :param snapshot: returns the run's status; thread-safe.
    :param groups: the groups that must be ready, in configuration order.
    :param pulse: checks the supervisor's loop; None if it has no loop: then the fact that the probe
        is answered counts as live.
    """

    def __init__(
        self, snapshot: Callable[[], RunStatus], groups: Sequence[str], pulse: PulseCheck | None
    ) -> None:
        self._snapshot, self._groups, self._pulse = snapshot, groups, pulse

    async def check(self, probe: Probe) -> ProbeResult:
        """The result of a probe, after little more than a second at most."""
        match probe:
            case Probe.STARTUP:
                return health.startup(self._snapshot(), self._groups)
            case Probe.READY:
                return health.ready(self._snapshot(), self._groups)
            case Probe.LIVE:
                answered = self._pulse is None or await self._pulse.beats()
                return health.live(answered=answered, within_seconds=ANSWER_SECONDS)
