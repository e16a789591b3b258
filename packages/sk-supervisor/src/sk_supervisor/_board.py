"""What is known of a run's progress, and how it reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sk_kernel import Progress

_PHASES = ("spawning", "starting", "ready", "running", "drained", "stopping", "stopped")
_WORKING = ("running", "drained")
_WORTH_A_LINE = ("starting", "ready", "running", "stopping")


class Board:
    """The latest progress of each group of a run.

    :param groups: all of them, so that a phase is only said once every group has reached it.
    """

    def __init__(self, groups: Sequence[str]) -> None:
        self._groups = {name: Progress(name, state=_PHASES[0]) for name in groups}
        self._began: float | None = None

    def put(self, progress: Iterable[Progress], now: float) -> None:
        """Note what groups said until ``now`` (seconds of one clock)."""
        for said in progress:
            self._groups[said.group] = said
            if self._began is None and said.records_in:
                self._began = now

    def phase(self) -> str:
        """How far all groups have come; empty where that says nothing, or one has failed."""
        states = [p.state for p in self._groups.values()]
        if any(state not in _PHASES for state in states):
            return ""
        phase = min(states, key=_PHASES.index, default=_PHASES[0])
        return phase if phase in _WORTH_A_LINE else ""

    def working(self) -> bool:
        """Whether records are under way, in every group."""
        return all(p.state in _WORKING for p in self._groups.values())

    def totals(self, now: float) -> str:
        """Records in and out, and the rate since the first."""
        taken = max((p.records_in for p in self._groups.values()), default=0)
        given = max((p.records_out for p in self._groups.values()), default=0)
        seconds = now - self._began if self._began is not None else 0.0
        rate = f"{taken / seconds:,.0f}/s" if seconds >= 1 else "-"
        return f"in {taken:,}  out {given:,}  {rate}"

    def states(self) -> str:
        """Each group with its state."""
        known = (p for p in self._groups.values() if p.state != _PHASES[0])
        return "  ".join(f"{p.group} {p.state}" for p in known)
