"""What is known of a run's progress, and how it reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sk_kernel import Progress
from sk_kernel.runtime import MEMORY, SINK, SOURCE

from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._show.looks import per_second

_PHASES = ("spawning", "starting", "ready", "running", "drained", "stopping", "stopped")
_WORKING = ("running", "drained")
_DONE = ("drained", "stopping", "stopped", "failed")
_WORTH_A_LINE = ("starting", "ready", "running", "stopping")
#: What ends a stop at once, for who asked for it by a signal, and by the command.
AGAIN = "again (Ctrl-C)"
BY_COMMAND = "sk stop --force"
#: A rate of a shorter time jumps about: workers speak once a second.
_PACE_SECONDS = 0.5


class Board:
    """The latest progress of each group of a run.

    :param groups: all of them, so that a phase is only said once every group has reached it.
    :param source: the group whose place in the source's input is the run's.
    :param sink: the group whose records out are the run's.
    :param stop_seconds: how long a stop may take.
    :param stops_differ: whether groups name several times for that; the largest counts.
    """

    def __init__(
        self,
        groups: Sequence[str],
        source: str,
        sink: str,
        stop_seconds: float = 30.0,
        *,
        stops_differ: bool = False,
    ) -> None:
        self._groups = {name: Progress(group=name, state=_PHASES[0]) for name in groups}
        self._source, self._sink = source, sink
        by = " (by the largest stop_timeout_seconds)" if stops_differ else ""
        self._stop_words = f"{stop_seconds:g} s{by}"
        self._reached = 0
        self._pace: float | None = None
        self._heard = 0.0
        self._look: tuple[float, int] | None = None

    def put(self, progress: Iterable[Progress], now: float) -> None:
        """Note what groups said until ``now`` (seconds of one clock)."""
        for said in progress:
            if said.group == self._source and said is not self._groups.get(said.group):
                self._heard = now
                if self._look is None and said.state in _WORKING:
                    self._look = now, said.source_records
            self._groups[said.group] = said

    def phase(self) -> str:
        """How far all groups have come; empty where that says nothing, or one has failed.

        It never goes back: a worker that takes another's place starts, and the run goes on.
        """
        states = [p.state for p in self._groups.values()]
        if any(state not in _PHASES for state in states):
            return ""
        self._reached = max(self._reached, min(map(_PHASES.index, states), default=0))
        phase = _PHASES[self._reached]
        return phase if phase in _WORTH_A_LINE else ""

    def working(self) -> bool:
        """Whether records are under way, in every group."""
        return all(p.state in _WORKING for p in self._groups.values())

    def totals(self) -> str:
        """Records in and out, and the rate since that was last told."""
        read = self._of(self._source).source_records
        # Groups speak one after the other; what another has come past has been read by now.
        taken = max([read, *(said.source_records for said in self._groups.values())])
        given = self._of(self._sink).records_out
        if self._look is not None and self._heard - self._look[0] >= _PACE_SECONDS:
            self._pace = per_second(read - self._look[1], self._heard - self._look[0])
            self._look = self._heard, read
        rate = "-" if self._pace is None else f"{self._pace:,.0f}/s"
        return f"in {taken:,}  out {given:,}  {rate}"

    def states(self) -> str:
        """Each group with its state."""
        known = (p for p in self._groups.values() if p.state != _PHASES[0])
        return "  ".join(f"{p.group} {p.state}" for p in known)

    def stopping(self, ends_it: str) -> str:
        """What a stop that was asked for waits for, how long at most, and what ends it at once.

        Any thread.
        """
        groups = list(self._groups.values())
        late = ", ".join(p.group for p in groups if p.state not in _DONE) or "the workers"
        if list(self._groups) == [MEMORY]:
            late = "the source, or a node, to return"
        return f"stopping: waiting up to {self._stop_words} for {late}; {ends_it} ends it now"

    def _of(self, group: str) -> Progress:
        return self._groups.get(group, Progress(group=group))


def board_of(prepared: Prepared) -> Board:
    """The board of a run that has not begun."""
    names, group_of = [g.name for g in prepared.groups], prepared.plan.group_of
    delay = prepared.config.runtime.platform.health.drain_delay_seconds
    seconds = delay + prepared.stop_seconds
    differ = len({group.stop_timeout_seconds for group in prepared.groups}) > 1
    ends = group_of[SOURCE], group_of[SINK]
    return Board(names or [MEMORY], *ends, seconds, stops_differ=differ)
