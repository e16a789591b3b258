"""Requests in a worker: what came in is run through its segments, and sent on or answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sk_kernel import (
    Answer,
    ExecutionPlan,
    KeyOwners,
    RequestCodec,
    RequestRunner,
    RunError,
    Segment,
    SegmentRunner,
    Visit,
)

from sk_supervisor._frames import RequestHeader
from sk_supervisor._inbox import Asked
from sk_supervisor._outlet import Outlet
from sk_supervisor._peers import place_of, places_of

#: So much waits to be sent, at most, before it is: what is at hand goes in one frame.
_MOST_HELD: Final = 256


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
        self._outlet, self._limit = outlet, max_payload_bytes
        self._codec = RequestCodec(plan.graph)
        self._runners = {
            index: RequestRunner(plan, plan.segments[index], runner)
            for index, runner in runners.items()
        }
        self._turns = [Turns(segment) for segment in plan.segments]
        self._places = places_of(plan)
        self._own_place = place_of(outlet.worker_id)
        self._onward: dict[tuple[int, str, int], list[Visit]] = {}
        self._answers: list[Answer] = []
        self._held = 0
        self.answered = 0

    def take(self, asked: Asked) -> None:
        """Run what came in a frame, as a batch.

        :raises WireError: when it holds no visits of this graph.
        :raises DeadLetterError: when what a node gave up cannot be written.
        :raises TransportError: when the hub is lost.
        """
        visits: list[Visit] = []
        for each in self._codec.visits(asked.payload):
            if isinstance(each, Answer):
                self._answer(each)
            else:
                visits.append(each)
        if visits:
            self._run({asked.header.target_segment: visits})
            self.answered += len(visits) if len(visits) == 1 else len({v.request for v in visits})
        if self._held >= _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Send what is held.

        :raises TransportError: when the hub is lost.
        """
        if not self._held:
            return
        onward, self._onward = self._onward, {}
        for (source, place, target), visits in onward.items():
            receiver = self._outlet.worker_at(place)
            sender, run = self._outlet.worker_id, self._outlet.run_id
            header = RequestHeader(sender, receiver, run, source, target)
            for payload in self._codec.visit_frames(visits, self._limit, self._unsent):
                self._outlet.ask(header, payload)
        while self._answers:
            answers, self._answers = self._answers, []
            for payload in self._codec.answer_frames(answers, self._limit, self._unsent):
                self._outlet.reply(payload)
        self._held = 0

    def _run(self, here: dict[int, list[Visit]]) -> None:
        """Run visits of segments, by index, until nothing more comes of them to this worker."""
        while here:
            index = min(here)
            answers, onward = self._runners[index].run(here.pop(index))
            for answer in answers:
                self._answer(answer)
            for target, visits in onward.items():
                places, turns = self._places[target], self._turns[target]
                for visit in visits:
                    place = places[turns.of(visit.payload)]
                    if place == self._own_place:
                        here.setdefault(target, []).append(visit)
                    else:
                        self._held += 1
                        self._onward.setdefault((index, place, target), []).append(visit)

    def _answer(self, answer: Answer) -> None:
        self._held += 1
        self._answers.append(answer)

    def _unsent(self, one: Visit | Answer, error: RunError) -> None:
        """A record or a reply that cannot be sent has failed; that can."""
        node, cause = one.origin, type(error).__name__
        self._answers.append(Answer(one.request, one.weight, node=node, cause_type=cause))
