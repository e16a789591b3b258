"""The latest progress of a run, and the texts that describe it. Pure."""

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
#: How to end a stop at once, if it was requested by a signal, and if by the command.
AGAIN = "again (Ctrl-C)"
BY_COMMAND = "sk stop --force"
#: The shortest time that a rate is measured over: workers report once a second.
_PACE_SECONDS = 0.5


class Board:
    """The latest progress of each group of a run.

    :param groups: the names of all groups; a phase is shown when every group has reached it.
    :param source: the group whose count of source records is the run's.
    :param sink: the group whose count of records out is the run's.
    :param stop_seconds: how long a stop may take.
    :param stops_differ: whether the groups' stop timeouts differ; the largest one counts.
    """

    def __init__(
        self,
        groups: Sequence[str],
        *,
        source: str,
        sink: str,
        stop_seconds: float = 30.0,
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
        """Note the progress that groups have reported by ``now`` (seconds of one clock)."""
        for said in progress:
            if said.group == self._source and said is not self._groups.get(said.group):
                self._heard = now
                if self._look is None and said.state in _WORKING:
                    self._look = now, said.source_records
            self._groups[said.group] = said

    def phase(self) -> str:
        """The phase that all groups have reached; empty if not worth a line, or one has failed.

        It never goes back, although a worker that replaces a failed one starts again.
        """
        states = [p.state for p in self._groups.values()]
        if any(state not in _PHASES for state in states):
            return ""
        self._reached = max(self._reached, min(map(_PHASES.index, states), default=0))
        phase = _PHASES[self._reached]
        return phase if phase in _WORTH_A_LINE else ""

    def working(self) -> bool:
        """Whether every group is running, or has drained."""
        return all(p.state in _WORKING for p in self._groups.values())

    def totals(self) -> str:
        """Records in and out, and the rate since the previous call."""
        read = self._of(self._source).source_records
        # Groups report at different times; another group may know of records read since.
        taken = max([read, *(said.source_records for said in self._groups.values())])
        given = self._of(self._sink).records_out
        if self._look is not None and self._heard - self._look[0] >= _PACE_SECONDS:
            self._pace = per_second(read - self._look[1], self._heard - self._look[0])
            self._look = self._heard, read
        rate = "-" if self._pace is None else f"{self._pace:,.0f}/s"
        return f"in {taken:,}  out {given:,}  {rate}"

    def states(self) -> str:
        """The state of each group that has begun."""
        known = (p for p in self._groups.values() if p.state != _PHASES[0])
        return "  ".join(f"{p.group} {p.state}" for p in known)

    def stopping(self, ends_it: str) -> str:
        """The line for a requested stop: what it waits for, how long at most, how to end it now.

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
    return Board(
        names or [MEMORY],
        source=group_of[SOURCE],
        sink=group_of[SINK],
        stop_seconds=seconds,
        stops_differ=differ,
    )
