"""Requests in a worker: what came in is run through its segments, and sent on or answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sk_kernel.runtime import (
    Answer,
    ExecutionPlan,
    Outcomes,
    RequestCodec,
    RequestRunner,
    SegmentRunner,
    Visit,
    WirePart,
    frames_of,
)

from sk_supervisor._protocol.frames import RequestHeader
from sk_supervisor._protocol.peers import place_of, places_of
from sk_supervisor._protocol.turns import Turns
from sk_supervisor._requests.faults import RequestFaults
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.inbox import Inbox, RequestArrived
from sk_supervisor._worker.lane import Lane

if TYPE_CHECKING:  # few applications have coroutines
    import asyncio

    from sk_supervisor._worker.overlap import Overlap

#: What is under way at the end is cancelled; what goes on for longer than this is left.
_LEAVE_SECONDS: Final = 1.0
#: So much is taken, at most, before some of it is run.
_MOST_FRESH: Final = 256
#: So much waits to be sent, at most, before it is, where there is more to do; and for so long.
_MOST_HELD: Final = 256
_HELD_SECONDS: Final = 0.005
#: What has waited for less has only just come.
_PROMPT_SECONDS: Final = 0.005
_MOST_BYTES: Final = 1 << 20
#: So many are encoded in one go: what is large is sent before all of it is there twice.
_AT_ONCE: Final = 32
#: Where visits go: the segment that they come from, the place and the segment that they go to.
_Way = tuple[int, str, int]


class Responder:
    """Runs requests. The worker's main thread only, between two batches.

    What has come waits in the lanes of its segments. What goes out is held until :meth:`flush`, so
    that whatever has ended together shares a frame. It is held as bytes: a node may have kept a
    payload, and change it in what comes next.

    :param loop: runs coroutine nodes, where there are any.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        runners: Mapping[int, SegmentRunner],
        data_plane: DataPlaneChannel,
        max_payload_bytes: int,
        loop: asyncio.Runner | None = None,
    ) -> None:
        self._data_plane, self._limit = data_plane, max_payload_bytes
        self._codec = RequestCodec(plan.graph)
        self._faults = RequestFaults()
        self._codec.on_fault = self._faults.tell
        self._overlap = _overlap(loop) if loop is not None else None
        #: By segment, the last one first: what has come furthest is the first to go on.
        self._lanes: dict[int, Lane] = {}
        for index in sorted(runners, reverse=True):
            runner = RequestRunner(plan, plan.segments[index], runners[index])
            runner.on_failed = self._faults.tell
            self._lanes[index] = Lane(index, runner, self._overlap)
        self._turns = [Turns(segment) for segment in plan.segments]
        self._places = places_of(plan)
        self._own_place = place_of(data_plane.worker_id)
        self._onward: dict[_Way, list[WirePart]] = {}
        self._answers: list[WirePart] = []
        self._held = self._bytes_held = self._fresh = 0
        #: Of what has come and is not run.
        self._refused: list[Answer] = []
        self.answered = 0
        self._is_prompt = False

    @property
    def busy(self) -> bool:
        """Whether anything waits, is under way, or is to be sent."""
        if self._refused or self._held or self._overlap:
            return True
        return any(lane.waits for lane in self._lanes.values())

    @property
    def has_enough(self) -> bool:
        """Whether it is time to :meth:`work` though more has come.

        What has only just come is worked on at once: so the workers of a chain have something to do
        at the same time. What has waited shows that there is more than can be done; then it counts
        what else there is.
        """
        return self._is_prompt or self._fresh >= _MOST_FRESH

    def take(self, asked: RequestArrived) -> None:
        """Have what came in a frame wait.

        :raises WireError: when it holds no visits of this graph.
        """
        visits: list[Visit] = []
        now, came = time.monotonic(), asked.came
        for each in self._codec.visits(asked.payload, now):
            if isinstance(each, Answer):
                self._refused.append(each)
            else:
                visits.append(each)
        self._fresh += 1
        if visits:
            self._fresh += len(visits)
            self.answered += len(visits) if len(visits) == 1 else len({v.request for v in visits})
            lane = self._lanes[asked.header.target_segment]
            lane.put(visits, came)
            self._is_prompt = now - came < _PROMPT_SECONDS and not lane.overlaps

    def work(self, inbox: Inbox, enough: Callable[[], bool]) -> None:
        """Run, or begin, some of what waits; send what has ended, unless there is more to do.

        Where nothing can be run this waits until something that is under way has ended.

        :param enough: whether there is something else to do, so that nothing is waited for: asked
            again whenever something is put into the inbox.
        :raises DeadLetterError: when what a node gave up cannot be written.
        :raises TransportError: when the hub is lost.
        """
        self._fresh, ran, began = 0, False, time.monotonic()
        self._is_prompt = False
        if self._refused:
            self._answer(self._refused)
            ran = True
        for index, lane in self._lanes.items():
            if lane.waits:
                outcomes = lane.run()
                ran = ran or bool(outcomes.answers) or not lane.overlaps
                self._ended(index, outcomes)
        if self._overlap:
            if ran:
                self._overlap.get_on()
            else:
                if not enough():
                    self.flush()  # what has ended waits for none of those that are under way
                self._overlap.wait(inbox, enough)
            for index, outcomes in self._overlap.ended():
                self._ended(index, outcomes)
        much = self._held >= _MOST_HELD or time.monotonic() - began > _HELD_SECONDS
        if much or not enough():
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

    def expire(self) -> None:
        """Nobody waits any more for what is here, or ever will be. Any thread.

        What waits in a coroutine is cancelled, and nothing more is run: see :class:`RequestRunner`.
        """
        for lane in self._lanes.values():
            lane.expire()

    def end(self) -> None:
        """Let what is under way end: cancelled, with its services still open.

        No longer than a second; then tell of failures that have not been told of yet.

        :raises DeadLetterError: when what a node gave up cannot be written.
        """
        self.expire()
        try:
            if self._overlap:
                self._overlap.end(_LEAVE_SECONDS)
                self._overlap.ended()
        finally:
            self._faults.tell_rest()

    def _ended(self, index: int, outcomes: Outcomes) -> None:
        """Hold what has come of requests in a segment; what goes on in this worker waits there."""
        answers, leaving = outcomes
        self._answer(answers)
        for target, visits in leaving.items():
            places, turns = self._places[target], self._turns[target]
            here: list[Visit] = []
            onward: dict[str, list[Visit]] = {}
            for visit in visits:
                place = places[turns.of(visit.payload)]
                going = here if place == self._own_place else onward.setdefault(place, [])
                going.append(visit)
            if here:
                self._lanes[target].put(here, time.monotonic())
            for place, going in onward.items():
                self._pass_on((index, place, target), going)

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


def _overlap(loop: asyncio.Runner) -> Overlap:
    from sk_supervisor._worker.overlap import Overlap

    return Overlap(loop)


def _taken(several: list[Any]) -> Iterator[list[Any]]:
    """All of a list, a few at a time, which are in it no more."""
    while several:
        some = several[:_AT_ONCE]
        del several[:_AT_ONCE]
        yield some
