"""What the hub does with a frame, decided from its header alone. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sk_kernel import SOURCE, ExecutionPlan

from sk_supervisor._frames import AckHeader, BatchHeader


class RelayRefusedError(Exception):
    """A worker sent a frame that is not its to send. The worker is at fault."""

    def __init__(self, sender: str, problem: str) -> None:
        self.sender, self.problem = sender, problem
        super().__init__(f"frame from {sender}: {problem}")


class Credit(NamedTuple):
    """Tell ``worker`` that every batch up to ``acknowledged`` is done with."""

    worker: str
    acknowledged: int


@dataclass(slots=True)
class RelayCounters:
    """What passed the hub."""

    frames: int = 0
    bytes: int = 0
    acknowledged: int = 0


class Relay:
    """The routes of one run, and how far its batches have been acknowledged.

    :param workers: the worker of each group.
    """

    def __init__(self, plan: ExecutionPlan, workers: Mapping[str, str]) -> None:
        self._owner = {s.index: workers[s.group] for s in plan.segments}
        self._reachable: Mapping[int, Collection[int]] = {
            s.index: frozenset(s.downstream) for s in plan.segments
        }
        self._acknowledged = {s.index: 0 for s in plan.segments if not s.downstream}
        self._source_worker = self._owner[plan.segment_of(SOURCE).index]
        self._border = {
            (s.index, plan.segments[d].index)
            for s in plan.segments
            for d in s.downstream
            if self._owner[s.index] != self._owner[d]
        }
        self._ended: set[tuple[int, int]] = set()
        self.counters = RelayCounters()

    def has_sent_all(self, worker: str) -> bool:
        """Whether the end of input has come from a worker, on every way that leads out of it."""
        ways = {(a, b) for a, b in self._border if self._owner[a] == worker}
        return bool(ways) and ways <= self._ended

    def route(self, connection: str, header: BatchHeader, size: int, *, final: bool = False) -> str:
        """The worker that a frame goes to.

        :raises RelayRefusedError: when the worker behind ``connection`` may not send it.
        """
        if header.sender != connection or self._owner.get(header.source_segment) != connection:
            raise RelayRefusedError(connection, f"claims segment {header.source_segment}")
        if header.target_segment not in self._reachable[header.source_segment]:
            raise RelayRefusedError(
                connection, f"is not upstream of segment {header.target_segment}"
            )
        receiver = self._owner[header.target_segment]
        if header.receiver != receiver:
            raise RelayRefusedError(connection, f"names {header.receiver!r} as receiver")
        if final and not header.more:
            self._ended.add((header.source_segment, header.target_segment))
        self.counters.frames += 1
        self.counters.bytes += size
        return receiver

    def acknowledge(self, connection: str, header: AckHeader) -> Credit | None:
        """Note an acknowledgement; the credit to give, when all sinks have come that far.

        :raises RelayRefusedError: when the worker behind ``connection`` may not acknowledge it.
        """
        known = header.segment in self._acknowledged
        if not known or self._owner[header.segment] != connection or header.sender != connection:
            raise RelayRefusedError(connection, f"acknowledges for segment {header.segment}")
        before = min(self._acknowledged.values())
        self._acknowledged[header.segment] = max(self._acknowledged[header.segment], header.epoch)
        now = min(self._acknowledged.values())
        self.counters.acknowledged = now
        return Credit(self._source_worker, now) if now > before else None
