"""Report on the screen, in a line each, the incidents that do not end a run.

These are failed workers that are restarted, and stuck workers of groups that only report them. An
incident that ends the run is reported by the run's error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from sk_kernel import EventRail, LifecycleEvent
from sk_observability import EventName

from sk_supervisor._protocol.worker_ids import place_of
from sk_supervisor._text.units import no_progress

if TYPE_CHECKING:
    from sk_config import Config

RESTARTING: Final = "worker_restarting"
STUCK, UNSTUCK = "worker_stuck", "worker_unstuck"


class Announcing:
    """An :class:`EventRail` that passes events on to another one, and shows a line for some.

    :param show: called with each line. Any thread.
    :param intensity: the restarts allowed per period, by group.
    :param patience: ``stuck_after_seconds``, by group, of the groups whose stuck workers do not
        fail.
    """

    def __init__(
        self,
        log: EventRail,
        show: Callable[[str], object],
        *,
        intensity: Mapping[str, int],
        patience: Mapping[str, float],
    ) -> None:
        self._log, self._show = log, show
        self._intensity, self._patience = intensity, patience
        self._failed: dict[str, Mapping[str, Any]] = {}
        #: The failed worker of each place, until its successor is running.
        self._followed: dict[str, str] = {}

    def emit(
        self,
        name: str,
        *,
        level: Literal["info", "debug"] = "info",
        group: str | None = None,
        worker: str | None = None,
        fields: Mapping[str, object] | None = None,
        trace_id: str | None = None,
    ) -> LifecycleEvent | None:
        """See :meth:`EventRail.emit`."""
        if name == EventName.WORKER_FAILED and worker:
            self._failed[worker] = fields or {}
        elif name == RESTARTING and worker:
            most = self._intensity.get(group or "", 0)
            self._show(restart_line(worker, self._failed.pop(worker, {}), fields or {}, most))
            self._followed[place_of(worker)] = worker
        elif name == EventName.WORKER_RUNNING and worker:
            if failed := self._followed.pop(place_of(worker), ""):
                self._show(f"{worker} is running in place of {failed}")
        elif name in (STUCK, UNSTUCK) and worker and group and group in self._patience:
            self._show(stall_line(worker, fields or {}, self._patience[group], stuck=name == STUCK))
        return self._log.emit(
            name, level=level, group=group, worker=worker, fields=fields, trace_id=trace_id
        )

    def events(self) -> Sequence[LifecycleEvent]:
        """See :meth:`EventRail.events`."""
        return self._log.events()

    def after(self, sequence: int) -> Sequence[LifecycleEvent]:
        """See :meth:`EventRail.after`."""
        return self._log.after(sequence)


def announcing(log: EventRail, show: Callable[[str], object], config: Config) -> Announcing:
    """Create the :class:`Announcing` of a run from its configuration."""
    groups = config.runtime.platform.process_groups
    return Announcing(
        log,
        show,
        intensity={group.name: group.restart.intensity for group in groups},
        patience={g.name: g.stuck_after_seconds or 0 for g in groups if g.on_stuck == "report"},
    )


def restart_line(
    worker: str, failed: Mapping[str, Any], restart: Mapping[str, Any], most: int
) -> str:
    """The line for a restart, from the fields of its event and of the failure's event."""
    of = f" of {most}" if most else ""
    wait = f" in {seconds:.1f} s" if (seconds := restart.get("delay_seconds", 0.0)) >= 0.05 else ""
    how = _how(failed or restart)
    return f"{worker} {how}: restart {restart.get('attempt', 1)}{of}{wait}"


def stall_line(worker: str, stall: Mapping[str, Any], limit: float, *, stuck: bool) -> str:
    """The line for a worker that is stuck, or goes on again, from the fields of the event."""
    seconds = stall.get("seconds", 0.0)
    if not stuck:
        return f"{worker} goes on, after {seconds:.1f} s"
    waiting, position = stall.get("waiting", 0), stall.get("position", "")
    return f"{worker} is stuck: {no_progress(seconds, limit, waiting, position)}"


def _how(failed: Mapping[str, Any]) -> str:
    """Describe a worker's failure in one line, from the fields of its event."""
    ended, category = str(failed.get("ended", "")), str(failed.get("category", ""))
    if category == "crash" and ended.startswith("signal "):
        return f"died of {ended.removeprefix('signal ')}"
    if category == "crash" and ended:
        return f"died with {ended}"
    why = str(failed.get("message", "") or ended).partition("\n")[0]
    return "failed" + (f" ({category})" if category else "") + (f", {why}" if why else "")
