"""Requests in a worker: they are run through its segments, and forwarded or answered."""

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
from sk_supervisor._protocol.turns import Turns
from sk_supervisor._protocol.worker_ids import place_of, places_of
from sk_supervisor._requests.faults import RequestFaults
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.inbox import Inbox, RequestArrived
from sk_supervisor._worker.segment_queue import SegmentQueue

if TYPE_CHECKING:  # few applications have coroutines
    import asyncio

    from sk_supervisor._worker.overlap import Overlap

#: How long requests that are cancelled at the end may go on before they are abandoned.
_LEAVE_SECONDS: Final = 1.0
#: The most frames and visits that are taken before some are run.
_MOST_FRESH: Final = 256
#: While there is more work, so many visits and answers are held at most, for so long at most.
_MOST_HELD: Final = 256
_HELD_SECONDS: Final = 0.005
#: A request that has waited for less has only just arrived.
_PROMPT_SECONDS: Final = 0.005
#: Output of this size is sent at once.
_MOST_BYTES: Final = 1 << 20
#: So many visits or answers are encoded at once: large output must not be in memory twice.
_AT_ONCE: Final = 32
#: The way of visits: the segment that they leave, and the place and the segment that they go to.
_Way = tuple[int, str, int]


class Responder:
    """Runs requests. The worker's main thread only, between two batches.

    Visits wait in the queues of their segments. Output is held until :meth:`flush`, so that results
    that are ready together share a frame. It is held as bytes, as a node may have kept a payload
    and change it later.

    :param loop: runs coroutine nodes; None if there are none.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        runners: Mapping[int, SegmentRunner],
        data_plane: DataPlaneChannel,
        *,
        max_payload_bytes: int,
        loop: asyncio.Runner | None = None,
    ) -> None:
        self._data_plane, self._limit = data_plane, max_payload_bytes
        self._codec = RequestCodec(plan.graph)
        self._faults = RequestFaults()
        self._codec.on_fault = self._faults.tell
        self._overlap = _overlap(loop) if loop is not None else None
        #: By segment, the last one first, so that visits that have come furthest go on first.
        self._queues: dict[int, SegmentQueue] = {}
        for index in sorted(runners, reverse=True):
            runner = RequestRunner(plan, plan.segments[index], runners[index])
            runner.on_failed = self._faults.tell
            self._queues[index] = SegmentQueue(index, runner, self._overlap)
        self._turns = [Turns(segment) for segment in plan.segments]
        self._places = places_of(plan)
        self._own_place = place_of(data_plane.worker_id)
        self._onward: dict[_Way, list[WirePart]] = {}
        self._answers: list[WirePart] = []
        self._held = self._bytes_held = self._fresh = 0
        #: The answers to visits that arrived and cannot be run.
        self._refused: list[Answer] = []
        self.answered = 0
        self._is_prompt = False

    @property
    def busy(self) -> bool:
        """Whether any request waits or is under way, or output is held."""
        if self._refused or self._held or self._overlap:
            return True
        return any(queue.waits for queue in self._queues.values())

    @property
    def has_enough(self) -> bool:
        """Whether to call :meth:`work` before taking more frames.

        A request that has only just arrived is run at once, so that the workers of a chain work at
        the same time. If requests have waited, this worker is overloaded, and frames are taken
        until there are ``_MOST_FRESH`` requests.
        """
        return self._is_prompt or self._fresh >= _MOST_FRESH

    def take(self, asked: RequestArrived) -> None:
        """Put the visits of a frame into the queue of their segment.

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
            queue = self._queues[asked.header.target_segment]
            queue.put(visits, came)
            self._is_prompt = now - came < _PROMPT_SECONDS and not queue.overlaps

    def work(self, inbox: Inbox, enough: Callable[[], bool]) -> None:
        """Run, or begin, some waiting requests; send held output unless there is more to do.

        If nothing can be run, wait until a request that is under way has ended.

        :param enough: whether there is other work, so that this must not wait; called again
            whenever an item is put into the inbox.
        :raises DeadLetterError: when a dead letter cannot be written.
        :raises TransportError: when the hub is lost.
        """
        self._fresh, ran, began = 0, False, time.monotonic()
        self._is_prompt = False
        if self._refused:
            self._answer(self._refused)
            ran = True
        for index, queue in self._queues.items():
            if queue.waits:
                outcomes = queue.run()
                ran = ran or bool(outcomes.answers) or not queue.overlaps
                self._ended(index, outcomes)
        if self._overlap:
            if ran:
                self._overlap.get_on()
            else:
                if not enough():
                    self.flush()  # held output does not wait for requests that are under way
                self._overlap.wait(inbox, enough)
            for index, outcomes in self._overlap.ended():
                self._ended(index, outcomes)
        much = self._held >= _MOST_HELD or time.monotonic() - began > _HELD_SECONDS
        if much or not enough():
            self.flush()

    def flush(self) -> None:
        """Send held output: answers first, as forwarded visits may be answered before they arrive.

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
        """Treat all requests, present and future, as expired. Any thread.

        Those that wait in coroutines are cancelled, and no more are run: see
        :class:`RequestRunner`.
        """
        for queue in self._queues.values():
            queue.expire()

    def end(self) -> None:
        """Cancel the requests under way, and let them end while their services are still open.

        Wait for a second at most; then report the failures that have not been reported yet.

        :raises DeadLetterError: when a dead letter cannot be written.
        """
        self.expire()
        try:
            if self._overlap:
                self._overlap.end(_LEAVE_SECONDS)
                self._overlap.ended()
        finally:
            self._faults.tell_rest()

    def _ended(self, index: int, outcomes: Outcomes) -> None:
        """Hold the outcomes of requests in a segment; visits that stay here go into their queue."""
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
                self._queues[target].put(here, time.monotonic())
            for place, going in onward.items():
                self._pass_on((index, place, target), going)

    def _answer(self, answers: list[Answer]) -> None:
        """Hold answers; send all held answers if the held output is large."""
        for some in _taken(answers):
            parts = self._codec.answer_parts(some, self._limit)
            self._answers += parts
            self._hold(parts)
            if self._bytes_held >= _MOST_BYTES:
                self._send_answers()

    def _pass_on(self, way: _Way, going: list[Visit]) -> None:
        """Hold visits to another worker; send all held output if it is large."""
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
    """Yield all elements of a list, a few at a time, and remove them from it."""
    while several:
        some = several[:_AT_ONCE]
        del several[:_AT_ONCE]
        yield some
