"""What is done about a worker that has failed: it is followed by another, or the run ends by it."""

from __future__ import annotations

from collections.abc import Callable

from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.lifecycle import Act, Event
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._lives.vitals import Vitals


class Failing:
    """Whoever finds that a worker has failed says so here. The loop's thread only.

    :param follow: starts a successor, if there is to be one; whether there is.
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
        """Take in that a worker has failed. Of one that has failed or left before, nothing.

        :param event: that of the lifecycle table by which it was found out.
        :param vitals: what its process was doing, where somebody has looked.
        """
        record.lost_by = None
        transition = self._roster.broke(record, breakage, event, vitals)
        if transition is not None and transition.act is Act.BLAME and not self._follow(record):
            self._causes.blame(record)
