"""Where requests leave for the workers and their answers come in: the caller's end of the hub.

Callers of any thread put requests down; the hub's thread takes them, in as few frames as it can,
and sees that what comes back is the worker's to say. A thread of its own makes the replies of that,
whose classes are the application's. Nothing else here waits for anything.
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
from sk_supervisor._protocol.client_keys import ClientKeys
from sk_supervisor._protocol.frames import (
    CLIENT,
    ReplyHeader,
    RequestHeader,
    decode_header,
    encode_header,
    require_run,
)
from sk_supervisor._protocol.peers import group_of, place_of, places_of
from sk_supervisor._protocol.turns import Turns
from sk_supervisor._requests.faults import RequestFaults
from sk_supervisor._requests.flights import Flights, OnFailure, name_of, visits_of
from sk_supervisor._requests.replies import Come, Replies

#: What MessagePack puts before the elements of an array, at most.
_ARRAY_BYTES: Final = 5


@dataclass(slots=True)
class _Flight:
    """A request with the workers: the segments and places it was sent to, what of it is out.

    It is ``settled`` as soon as its outcome has come, which may still have to be made.
    """

    waiter: ReplyWaiter
    began: frozenset[tuple[int, str]]
    tally: Tally = field(default_factory=Tally)
    settled: bool = False


class _Sender(NamedTuple):
    """A worker, and the place and the group in its id, which is taken apart once a frame."""

    worker: str
    place: str
    group: str

    @classmethod
    def of(cls, worker: str) -> _Sender:
        return cls(worker, place_of(worker), group_of(worker))


class RequestGateway:
    """A :class:`LocalPeer` of the hub. Terminals settle the requests of whoever asked.

    :param ids: says which requests are traced, by their trace ids; None for none of them.
    :param workers: the worker in each place, as of now.
    :param wake: has the hub ask for what is outgoing.
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
        self._codec.on_fault = faults.tell
        self._entrances = Entrances(plan.graph, run_id)
        self._segment_of = {v: s.index for s in plan.segments for v in s.vertices}
        self._behind = _groups_behind(plan)
        self._places = places_of(plan)
        self._turns = [Turns(segment) for segment in plan.segments]
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._vacant: set[str] = set()
        """The places whose worker is lost, and no other is there yet."""
        self._outbox: dict[tuple[int, str], list[WirePart]] = {}
        self._flights: Flights[_Flight] = Flights(waiters, on_failure)
        self._replies = Replies(self._codec, waiters, self._flights.done)

    # ---- callers' threads ------------------------------------------------------------------------

    def dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        """Send a request, whose waiter is registered, to the workers of its targets.

        :raises UnknownRouteError: when a target takes no payload of that class from a caller.
        :raises UnsendableRequestError: when MessagePack has no form for the payload.
        :raises RecordTooLargeError: when it is larger than a frame may be.
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
        """Let what is in flight fail: the workers are gone, or will not answer any more."""
        for name, flight in self._flights.now().items():
            self._flights.lose(name, flight.waiter.group)
        self._faults.tell_rest()

    def _parts(
        self, number: int, inputs: Sequence[BoundaryDispatchInput], waiter: ReplyWaiter
    ) -> list[tuple[int, str, WirePart]]:
        """The segment, the place in it and the bytes of each part of a request."""
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
        """Whose turn it is: a vacant place's only where it is the key's, or all are vacant."""
        places = self._places[segment]
        if len(places) == 1:
            return 0
        with self._lock:
            turns = self._turns[segment]
            turn = turns.of(payload)
            for _ in places[1:] if self._vacant else ():
                if places[turn] in self._vacant:
                    turn = turns.of(payload)  # of a key it is the same again
            return turn

    # ---- the replies' thread ---------------------------------------------------------------------

    def attend(self) -> None:
        """See :class:`LocalPeer`: give replies to whoever asked."""
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

        :raises TransportError: when the frame is not the worker's.
        :raises HeaderError: when its header cannot be read, or is another run's.
        :raises WireError: when it holds no answers of this graph.
        :raises RelayRefusedError: when one of them is not the worker's to give.
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
        """See :class:`LocalPeer`: whatever may be with that worker has failed. Any thread.

        Of what was sent to its group from here it is known to which worker; of what comes to it
        from other workers it is not. What is sent from now on goes to others, where it may.
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
        """Another worker is in its place: what was for the one before is lost. Any thread."""
        self.lost(worker)
        with self._lock:
            self._vacant.discard(place_of(worker))

    def _may_have(self, sender: _Sender, flight: _Flight) -> bool:
        """Whether a request was sent to the worker, or may have come to its group from there."""
        _, place, group = sender
        return any(p == place or group in self._behind[segment] for segment, p in flight.began)

    def _settled(self, sender: _Sender, answer: Answer) -> Iterator[Come]:
        """What an answer changes, if anything; none of its payload is read."""
        flight = self._flights.get(answer.request)
        if flight is not None and not self._may_have(sender, flight):
            problem = f"answers {answer.request}, which is not with it"
            raise RelayRefusedError(sender.worker, problem)
        if answer.node and self._plan.group_of.get(answer.node) != sender.group:
            problem = "answers for a node that is not of its group"
            raise RelayRefusedError(sender.worker, problem)
        if flight is None:  # its name is nobody's, or was: the nodes had done with it, or lost it
            if answer.outright:
                self._waiters.drop_late()
            return
        # Behind its outcome, what else comes of a request is a duplicate, or late.
        over = flight.settled or flight.waiter.done()
        said = flight.tally.take(answer)
        if said is not None and over and not said.outright:
            said = None
        done = flight.tally.weight <= 0
        if said is not None:
            flight.settled = True
        if said is not None or done:
            first = flight.waiter.group
            group = self._plan.group_of.get(said.node, first) if said is not None else first
            yield Come(flight.waiter, said, group, answer.request if done else "")


def _groups_behind(plan: ExecutionPlan) -> list[frozenset[str]]:
    """The groups that requests which come to each segment may pass behind it.

    What goes to the sink is an answer, and the caller's: none comes to a segment that is nothing
    but the sink.
    """
    behind: dict[int, frozenset[str]] = {}
    for segment in reversed(plan.segments):
        onward = [i for i in segment.downstream if set(plan.segments[i].vertices) != {SINK}]
        groups = frozenset(plan.segments[index].group for index in onward)
        behind[segment.index] = groups.union(*(behind[index] for index in onward))
    return [behind[segment.index] for segment in plan.segments]
