"""The reaction to the failure of a worker: a successor is started, or the run ends."""

from __future__ import annotations

from collections.abc import Callable

from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.lifecycle import Act, Event
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._lives.vitals import Vitals


class Failing:
    """Handles each failure of a worker, however it was found. Called by the loop's thread only.

    :param follow: starts a successor, if the worker is to have one; returns whether it does.
    """

    def __init__(
        self, roster: Roster, causes: EndCauses, follow: Callable[[WorkerRecord], bool]
    ) -> None:
        self._roster, self._causes, self._follow = roster, causes, follow

    def fail(
        self,
        record: WorkerRecord,
        breakage: Breakage,
        event: Event = Event.BROKE,
        vitals: Vitals | None = None,
    ) -> None:
        """Record the failure of a worker, unless it has failed or stopped before.

        :param event: the event of the lifecycle table that shows the failure.
        :param vitals: what its process was doing, if that was checked.
        """
        record.lost_by = None
        transition = self._roster.broke(record, breakage, event, vitals)
        if transition is not None and transition.act is Act.BLAME and not self._follow(record):
            self._causes.blame(record)
