"""Requests in a worker: what came in is run through its segments, and sent on or answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sk_kernel import (
    Answer,
    ExecutionPlan,
    KeyOwners,
    Onward,
    RecordTooLargeError,
    RequestCodec,
    RequestRunner,
    Segment,
    SegmentRunner,
    Visit,
    WireError,
    together,
)

from sk_supervisor._frames import RequestHeader
from sk_supervisor._inbox import Asked
from sk_supervisor._outlet import Outlet
from sk_supervisor._peers import place_of, places_of

#: So much waits to be sent, at most, before it is: what is at hand goes in one frame.
_MOST_HELD: Final = 256
#: What MessagePack puts before the elements of an array, at most.
ARRAY_BYTES: Final = 5


class Turns:
    """Which of a segment's workers takes a record: by its key, or, without one, each in turn."""

    def __init__(self, segment: Segment) -> None:
        keyed = segment.key is not None and segment.workers > 1
        self._owners = KeyOwners(segment.key or "", segment.workers) if keyed else None
        self._workers, self._next = segment.workers, 0

    def of(self, payload: object) -> int:
        """The worker's index in its group."""
        if self._owners is not None:
            return self._owners.of((payload,))[0]
        self._next = (self._next + 1) % self._workers
        return self._next


class Responder:
    """Runs requests. The worker's main thread only, between two batches.

    What goes out is held until :meth:`flush`, so that whatever is at hand shares a frame.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        runners: Mapping[int, SegmentRunner],
        outlet: Outlet,
        max_payload_bytes: int,
    ) -> None:
        self._plan, self._outlet, self._limit = plan, outlet, max_payload_bytes
        self._codec = RequestCodec(plan.graph)
        self._runners = {
            index: RequestRunner(plan, plan.segments[index], runner)
            for index, runner in runners.items()
        }
        self._turns = [Turns(segment) for segment in plan.segments]
        self._places = places_of(plan)
        self._own_place = place_of(outlet.worker_id)
        self._onward: dict[tuple[int, str, int], list[bytes]] = {}
        self._answers: list[bytes] = []
        self._held = 0
        self.answered = 0

    def take(self, asked: Asked) -> None:
        """Run what came in a frame.

        :raises WireError: when it holds no visits of this graph.
        :raises DeadLetterError: when what a node gave up cannot be written.
        :raises TransportError: when the hub is lost.
        """
        together: dict[str, list[Visit]] = {}
        for each in self._codec.visits(asked.payload):
            if isinstance(each, Answer):
                self._held += 1
                self._answer(each)
            else:
                together.setdefault(each.request, []).append(each)
        for visits in together.values():
            self._run(asked.header.target_segment, visits)
        if self._held >= _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Send what is held.

        :raises TransportError: when the hub is lost.
        """
        if not self._held:
            return
        self._held = 0
        onward, self._onward = self._onward, {}
        answers, self._answers = self._answers, []
        for (source, place, target), parts in onward.items():
            receiver = self._outlet.worker_at(place)
            sender, run = self._outlet.worker_id, self._outlet.run_id
            header = RequestHeader(sender, receiver, run, source, target)
            for payload in frames_of(parts, self._limit):
                self._outlet.ask(header, payload)
        for payload in frames_of(answers, self._limit):
            self._outlet.reply(payload)

    def _run(self, segment: int, visits: list[Visit]) -> None:
        here = {segment: visits}
        while here:
            index = min(here)
            for outcome in self._runners[index].run(here.pop(index)):
                self._held += 1
                if isinstance(outcome, Answer):
                    self._answer(outcome)
                elif place := self._away(outcome):
                    self._forward(index, place, outcome)
                else:
                    here.setdefault(outcome.segment, []).append(outcome.visit)
        self.answered += 1

    def _away(self, onward: Onward) -> str:
        """The place that it goes to; empty for this one."""
        index = self._turns[onward.segment].of(onward.visit.payload)
        place = self._places[onward.segment][index]
        return "" if place == self._own_place else place

    def _forward(self, source: int, place: str, onward: Onward) -> None:
        visit = onward.visit
        try:
            part = self._sized(self._codec.visit(visit), visit.edge.producer)
        except (WireError, RecordTooLargeError) as error:
            self._answer(_failed(visit.request, visit.weight, visit.edge.producer, error))
        else:
            self._onward.setdefault((source, place, onward.segment), []).append(part)

    def _answer(self, answer: Answer) -> None:
        try:
            part = self._sized(self._codec.answer(answer), "")
        except (WireError, RecordTooLargeError) as error:
            part = self._codec.answer(_failed(answer.request, answer.weight, "", error))
        self._answers.append(part)

    def _sized(self, part: bytes, node: str) -> bytes:
        if len(part) + ARRAY_BYTES > self._limit:
            raise RecordTooLargeError(node, 0, len(part), self._limit)
        return part


def frames_of(parts: Sequence[bytes], limit: int) -> Iterator[bytes]:
    """The parts as arrays of at most ``limit`` bytes; each alone is within it."""
    start, size = 0, ARRAY_BYTES
    for end, part in enumerate(parts):
        if size + len(part) > limit:
            yield together(parts[start:end])
            start, size = end, ARRAY_BYTES
        size += len(part)
    if start < len(parts):
        yield together(parts[start:])


def _failed(request: str, weight: int, node: str, error: Exception) -> Answer:
    return Answer(request, weight, node=node, cause_type=type(error).__name__)
