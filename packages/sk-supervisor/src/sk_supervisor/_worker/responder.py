"""Requests in a worker: what came in is run through its segments, and sent on or answered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sk_kernel.runtime import (
    Answer,
    ExecutionPlan,
    KeyOwners,
    RequestCodec,
    RequestRunner,
    Segment,
    SegmentRunner,
    Visit,
    WirePart,
    frames_of,
)

from sk_supervisor._protocol.frames import RequestHeader
from sk_supervisor._protocol.peers import place_of, places_of
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.inbox import RequestArrived
from sk_supervisor._worker.request_faults import RequestFaults

#: So much waits to be sent, at most, before it is: what is at hand goes in one frame.
_MOST_HELD: Final = 256
_MOST_BYTES: Final = 1 << 20
#: So many are encoded in one go: what is large is sent before all of it is there twice.
_AT_ONCE: Final = 32
#: Where visits go: the segment that they come from, the place and the segment that they go to.
_Way = tuple[int, str, int]


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

    What goes out is held until :meth:`flush`, so that whatever is at hand shares a frame. It is
    held as bytes: a node may have kept a payload, and change it in what comes next.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        runners: Mapping[int, SegmentRunner],
        data_plane: DataPlaneChannel,
        max_payload_bytes: int,
    ) -> None:
        self._data_plane, self._limit = data_plane, max_payload_bytes
        self._codec = RequestCodec(plan.graph)
        self._runners = {
            index: RequestRunner(plan, plan.segments[index], runner)
            for index, runner in runners.items()
        }
        self._faults = RequestFaults()
        self._codec.on_unsent = self._faults.tell
        for each in self._runners.values():
            each.on_failed = self._faults.tell
        self._turns = [Turns(segment) for segment in plan.segments]
        self._places = places_of(plan)
        self._own_place = place_of(data_plane.worker_id)
        self._onward: dict[_Way, list[WirePart]] = {}
        self._answers: list[WirePart] = []
        self._held = self._bytes_held = 0
        self.answered = 0

    def take(self, asked: RequestArrived) -> None:
        """Run what came in a frame, as a batch.

        :raises WireError: when it holds no visits of this graph.
        :raises DeadLetterError: when what a node gave up cannot be written.
        :raises TransportError: when the hub is lost.
        """
        visits: list[Visit] = []
        answers: list[Answer] = []
        for each in self._codec.visits(asked.payload, time.monotonic()):
            if isinstance(each, Answer):
                answers.append(each)
            else:
                visits.append(each)
        onward: dict[_Way, list[Visit]] = {}
        if visits:
            self._run({asked.header.target_segment: visits}, answers, onward)
            self.answered += len(visits) if len(visits) == 1 else len({v.request for v in visits})
        self._answer(answers)
        for way, going in onward.items():
            self._pass_on(way, going)
        if self._held >= _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Send what is held: answers first, as what goes on may be answered before they come.

        :raises TransportError: when the hub is lost.
        """
        if not self._held:
            return
        self._send_answers()
        onward, self._onward = self._onward, {}
        self._held = self._bytes_held = 0
        for (source, place, target), parts in onward.items():
            receiver = self._data_plane.worker_at(place)
            sender, run = self._data_plane.worker_id, self._data_plane.run_id
            header = RequestHeader(sender, receiver, run, source, target)
            for payload in frames_of(parts, self._limit):
                self._data_plane.ask(header, payload)

    def end(self) -> None:
        """Tell of failures that have not been told of yet."""
        self._faults.tell_rest()

    def _run(
        self, here: dict[int, list[Visit]], answers: list[Answer], onward: dict[_Way, list[Visit]]
    ) -> None:
        """Run visits of segments, by index, until nothing more comes of them to this worker."""
        while here:
            index = min(here)
            ended, leaving = self._runners[index].run(here.pop(index))
            answers += ended
            for target, visits in leaving.items():
                places, turns = self._places[target], self._turns[target]
                for visit in visits:
                    place = places[turns.of(visit.payload)]
                    if place == self._own_place:
                        here.setdefault(target, []).append(visit)
                    else:
                        onward.setdefault((index, place, target), []).append(visit)

    def _answer(self, answers: list[Answer]) -> None:
        """Hold answers, and send them where they are much: of no others than answers."""
        for some in _taken(answers):
            parts = self._codec.answer_parts(some, self._limit)
            self._answers += parts
            self._hold(parts)
            if self._bytes_held >= _MOST_BYTES:
                self._send_answers()

    def _pass_on(self, way: _Way, going: list[Visit]) -> None:
        """Hold visits onward, and send all that is held where it is much."""
        for some in _taken(going):
            parts, unsent = self._codec.visit_parts(some, self._limit)
            self._answer(unsent)
            self._onward.setdefault(way, []).extend(parts)
            self._hold(parts)
            if self._bytes_held >= _MOST_BYTES:
                self.flush()

    def _hold(self, parts: list[WirePart]) -> None:
        self._held += sum(part.number for part in parts)
        self._bytes_held += sum(len(part.elements) for part in parts)

    def _send_answers(self) -> None:
        answers, self._answers = self._answers, []
        self._bytes_held -= sum(len(part.elements) for part in answers)
        for payload in frames_of(answers, self._limit):
            self._data_plane.reply(payload)


def _taken(several: list[Any]) -> Iterator[list[Any]]:
    """All of a list, a few at a time, which are in it no more."""
    while several:
        some = several[:_AT_ONCE]
        del several[:_AT_ONCE]
        yield some
