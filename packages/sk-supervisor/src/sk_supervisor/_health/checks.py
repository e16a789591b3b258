"""The probes of one run, each answered from what the run is at that moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sk_kernel import RunStatus

from sk_supervisor._health import results as health
from sk_supervisor._health.pulse_check import ANSWER_SECONDS, PulseCheck
from sk_supervisor._health.results import Probe, ProbeResult


class HealthChecks:
    """Answers probes. For one event loop.

    :param snapshot: the run's status; safe in any thread.
    :param groups: the groups that must be ready, in configuration order.
    :param pulse: asks the supervisor's loop; None where there is none, and the answer itself is
        all the life that there is to show.
    """

    def __init__(
        self, snapshot: Callable[[], RunStatus], groups: Sequence[str], pulse: PulseCheck | None
    ) -> None:
        self._snapshot, self._groups, self._pulse = snapshot, groups, pulse

    async def check(self, probe: Probe) -> ProbeResult:
        """The result of a probe, within a little more than a second."""
        match probe:
            case Probe.STARTUP:
                return health.startup(self._snapshot(), self._groups)
            case Probe.READY:
                return health.ready(self._snapshot(), self._groups)
            case Probe.LIVE:
                answered = self._pulse is None or await self._pulse.beats()
                return health.live(answered=answered, within_seconds=ANSWER_SECONDS)
