"""The gateway between callers and workers: it sends requests, and receives their answers.

Callers in any thread queue requests. The hub's thread sends them, in as few frames as possible, and
checks that each answer comes from a worker that may give it. A third thread builds the replies,
because that runs code of the application's classes. Only this third thread may block.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, NamedTuple

from sk_kernel import BoundaryDispatchInput, RecordTooLargeError, ReplyWaiter
from sk_kernel.runtime import (
    SINK,
    Answer,
    Entrances,
    ExecutionPlan,
    ReplyWaiterService,
    RequestCodec,
    RoutingResult,
    Tally,
    TraceIds,
    WirePart,
    frames_of,
)
from sk_transport import Buffer, WireFrame

from sk_supervisor._peer_errors import RelayRefusedError
from sk_supervisor._protocol.frames import (
    CLIENT,
    ReplyHeader,
    RequestHeader,
    decode_header,
    encode_header,
    require_run,
)
from sk_supervisor._protocol.turns import Turns
from sk_supervisor._protocol.worker_ids import group_of, place_of, places_of
from sk_supervisor._requests.client_keys import ClientKeys
from sk_supervisor._requests.faults import RequestFaults
from sk_supervisor._requests.flights import Flights, OnFailure, name_of, visits_of
from sk_supervisor._requests.replies import Come, Replies

#: The maximum size of the header of a MessagePack array.
_ARRAY_BYTES: Final = 5


@dataclass(slots=True)
class _Flight:
    """A request that workers have: the (segment, place) pairs it was sent to, and its open weight.

    It is ``settled`` as soon as its outcome has arrived, even if the reply is still to be built.
    """

    waiter: ReplyWaiter
    began: frozenset[tuple[int, str]]
    tally: Tally = field(default_factory=Tally)
    settled: bool = False


class _Sender(NamedTuple):
    """A worker's id, and the place and group parsed from it, once for each frame."""

    worker: str
    place: str
    group: str

    @classmethod
    def of(cls, worker: str) -> _Sender:
        return cls(worker, place_of(worker), group_of(worker))


class RequestGateway:
    """A :class:`LocalPeer` of the hub that sends requests to workers, and settles their waiters.

    :param ids: decides by its trace id whether a request is traced; None to trace none.
    :param workers: returns the current worker in each place.
    :param wake: makes the hub call :meth:`outgoing`.
    :param on_failure: called in any thread for a request that has failed; must not block.
    :param faults: logs why a reply could not be constructed here.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        keys: ClientKeys,
        waiters: ReplyWaiterService,
        *,
        run_id: str,
        ids: TraceIds | None,
        max_payload_bytes: int,
        workers: Callable[[], dict[str, str]],
        wake: Callable[[], None],
        on_failure: OnFailure,
        faults: RequestFaults,
    ) -> None:
        self._plan, self._keys, self._waiters = plan, keys, waiters
        self._run_id, self._ids, self._limit = run_id, ids, max_payload_bytes
        self._workers, self._wake = workers, wake
        self._codec, self._faults = RequestCodec(plan.graph), faults
        self._entrances = Entrances(plan.graph, run_id)
        self._segment_of = {v: s.index for s in plan.segments for v in s.vertices}
        self._behind = _groups_behind(plan)
        self._places = places_of(plan)
        self._turns = [Turns(segment) for segment in plan.segments]
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._vacant: set[str] = set()
        """The places whose worker is lost and not yet replaced."""
        self._outbox: dict[tuple[int, str], list[WirePart]] = {}
        self._flights: Flights[_Flight] = Flights(waiters, on_failure)
        self._replies = Replies(self._codec, waiters, self._flights.done, faults.tell)

    # ---- callers' threads ------------------------------------------------------------------------

    def dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        """Queue a request, whose waiter is registered, for the workers of its targets.

        :raises UnknownRouteError: when a target takes no payload of that class from a caller.
        :raises UnsendableRequestError: when MessagePack cannot encode the payload, or headers are
            not all text.
        :raises RecordTooLargeError: when it does not fit into a frame.
        """
        number = next(self._numbers)
        parts = self._parts(number, deliveries.boundary_deliveries, waiter)
        began = frozenset((segment, place) for segment, place, _ in parts)
        if not self._flights.add(name_of(number), _Flight(waiter, began)):
            return
        with self._lock:
            idle = not self._outbox
            for segment, place, part in parts:
                self._outbox.setdefault((segment, place), []).append(part)
        if idle:
            self._wake()

    def close(self) -> None:
        """Fail the requests in flight: the workers have gone, or no longer answer."""
        for name, flight in self._flights.now().items():
            self._flights.lose(name, flight.waiter.group)
        self._faults.tell_rest()

    def _parts(
        self, number: int, inputs: Sequence[BoundaryDispatchInput], waiter: ReplyWaiter
    ) -> list[tuple[int, str, WirePart]]:
        """The segment, the place and the encoded visit of each input of a request."""
        parts: list[tuple[int, str, WirePart]] = []
        trace_id = waiter.trace_id
        sampled = self._ids is not None and self._ids.takes(trace_id)
        visits = visits_of(
            number, inputs, trace_id, self._entrances, sampled=sampled, due=waiter.due
        )
        for each, visit in zip(inputs, visits, strict=True):
            sent = self._codec.visit(visit)
            if len(sent) + _ARRAY_BYTES > self._limit:
                raise RecordTooLargeError(each.target, None, len(sent), self._limit)
            segment = self._segment_of[each.target]
            place = self._places[segment][self._turn(segment, each.payload)]
            parts.append((segment, place, WirePart(1, sent)))
        return parts

    def _turn(self, segment: int, payload: object) -> int:
        """Return the index of the worker that takes a payload: that of its key, or each in turn.

        Without a key, vacant places are skipped unless all are vacant.
        """
        places = self._places[segment]
        if len(places) == 1:
            return 0
        with self._lock:
            turns = self._turns[segment]
            turn = turns.of(payload)
            for _ in places[1:] if self._vacant else ():
                if places[turn] in self._vacant:
                    turn = turns.of(payload)  # with a key it is the same again
            return turn

    # ---- the replies' thread ---------------------------------------------------------------------

    def attend(self) -> None:
        """See :class:`LocalPeer`: deliver replies to callers."""
        self._replies.attend()

    def leave(self) -> None:
        """See :class:`LocalPeer`."""
        self._replies.leave()

    # ---- the hub's thread ------------------------------------------------------------------------

    def outgoing(self) -> Iterator[tuple[str, list[Buffer]]]:
        """See :class:`LocalPeer`."""
        with self._lock:
            outbox, self._outbox = self._outbox, {}
        workers = self._workers() if outbox else {}
        for (segment, place), parts in outbox.items():
            worker = workers[place]
            header = encode_header(RequestHeader(CLIENT, worker, self._run_id, None, segment))
            for payload in frames_of(parts, self._limit):
                yield worker, self._keys.seal(worker, header, payload)

    def arrived(self, worker: str, frame: WireFrame) -> None:
        """See :class:`LocalPeer`.

        :raises TransportError: when the frame is not authentic.
        :raises HeaderError: when its header cannot be read, or is of another run.
        :raises WireError: when its payload is not answers of this graph.
        :raises RelayRefusedError: when the worker was not entitled to give one of the answers.
        """
        self._keys.verify(worker, frame)
        require_run(decode_header(ReplyHeader, frame.header), self._run_id)
        sender = _Sender.of(worker)
        come: list[Come] = []
        try:
            for answer in self._codec.answers(frame.payload):
                come += self._settled(sender, answer)
        finally:
            if come:
                self._replies.put(worker, come)

    def lost(self, worker: str) -> None:
        """See :class:`LocalPeer`: fail all requests that this worker may have had. Any thread.

        For requests sent from here the worker is known; those that came to its group from other
        workers may have been with any worker of it. From now on requests go to others if they may.
        """
        sender = _Sender.of(worker)
        with self._lock:
            if self._workers().get(sender.place) == worker:
                self._vacant.add(sender.place)
        for name, flight in self._flights.now().items():
            if not self._may_have(sender, flight):
                continue
            if flight.settled:
                self._flights.done(name)
            else:
                self._flights.lose(name, sender.group, worker)

    def replaced(self, worker: str) -> None:
        """Note that ``worker`` has been replaced: requests sent to it are lost. Any thread."""
        self.lost(worker)
        with self._lock:
            self._vacant.discard(place_of(worker))

    def _may_have(self, sender: _Sender, flight: _Flight) -> bool:
        """Whether a request was sent to this worker, or may have reached its group downstream."""
        _, place, group = sender
        return any(p == place or group in self._behind[segment] for segment, p in flight.began)

    def _settled(self, sender: _Sender, answer: Answer) -> Iterator[Come]:
        """Account for an answer, and yield what callers must be told; its payload is not decoded.

        :raises RelayRefusedError: when the worker was not entitled to give this answer.
        """
        flight = self._flights.get(answer.request)
        if flight is not None and not self._may_have(sender, flight):
            problem = f"answers {answer.request}, which is not with it"
            raise RelayRefusedError(sender.worker, problem)
        if answer.node and self._plan.group_of.get(answer.node) != sender.group:
            problem = "answers for a node that is not of its group"
            raise RelayRefusedError(sender.worker, problem)
        if flight is None:  # an unknown name, or one of a request that was finished or lost
            if answer.is_final:
                self._waiters.drop_late()
            return
        # After the outcome of a request, any other reply or failure is a duplicate, or late.
        over = flight.settled or flight.waiter.done()
        said = flight.tally.take(answer)
        if said is not None and over and not said.is_final:
            said = None
        done = flight.tally.weight <= 0
        if said is not None:
            flight.settled = True
        if said is not None or done:
            first = flight.waiter.group
            group = self._plan.group_of.get(said.node, first) if said is not None else first
            yield Come(flight.waiter, said, group, answer.request if done else "")


def _groups_behind(plan: ExecutionPlan) -> list[frozenset[str]]:
    """For each segment, the groups that a request which enters there may reach downstream.

    A segment with only the sink is not among these: a record for the sink is an answer, and goes to
    the caller.
    """
    behind: dict[int, frozenset[str]] = {}
    for segment in reversed(plan.segments):
        onward = [i for i in segment.downstream if set(plan.segments[i].vertices) != {SINK}]
        groups = frozenset(plan.segments[index].group for index in onward)
        behind[segment.index] = groups.union(*(behind[index] for index in onward))
    return [behind[segment.index] for segment in plan.segments]
