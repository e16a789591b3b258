"""Where requests leave for the workers and their answers come in: the caller's end of the hub.

Callers of any thread put requests down; the hub's thread takes them, in as few frames as it can,
and settles what comes back. Nothing here waits for anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Final

from sk_kernel import (
    SOURCE,
    WHOLE,
    Answer,
    BoundaryDispatchInput,
    Correlation,
    ExecutionPlan,
    RecordTooLargeError,
    ReplyWaiter,
    ReplyWaiterService,
    RequestCodec,
    RoutingResult,
    TerminalEvent,
    TraceIds,
    Visit,
    shares,
)
from sk_transport import Buffer, WireFrame

from sk_supervisor._client_keys import ClientKeys
from sk_supervisor._frames import CLIENT, RequestHeader, encode_header
from sk_supervisor._peers import group_of, places_of
from sk_supervisor._responder import ARRAY_BYTES, Turns, frames_of

#: The headers of a request without any; nobody changes them.
_NONE: Final[dict[str, str]] = {}


class _Flight:
    """A request that has no outcome yet: how much of it is out, and where it began."""

    __slots__ = ("segments", "waiter", "weight")

    def __init__(self, waiter: ReplyWaiter, segments: frozenset[int]) -> None:
        self.waiter, self.segments, self.weight = waiter, segments, WHOLE


class RequestDesk:
    """A :class:`Guest` of the hub. Terminals complete the waiters of whoever asked.

    :param ids: says which requests are traced, by their trace ids; None for none of them.
    :param workers: the worker in each place, as of now.
    :param wake: has the hub ask for what is outgoing.
    :param on_outcome: called in any thread with the outcome of each request; must not block.
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
        on_outcome: Callable[[TerminalEvent], None],
    ) -> None:
        self._on_outcome = on_outcome
        self._plan, self._keys, self._waiters = plan, keys, waiters
        self._run_id, self._ids, self._limit = run_id, ids, max_payload_bytes
        self._workers, self._wake = workers, wake
        self._codec = RequestCodec(plan.graph)
        self._segment_of = {v: s.index for s in plan.segments for v in s.vertices}
        self._groups = _groups_behind(plan)
        self._places = places_of(plan)
        self._turns = [Turns(segment) for segment in plan.segments]
        self._names = count(1)
        self._lock = threading.Lock()
        self._outbox: dict[tuple[int, str], list[bytes]] = {}
        self._flights: dict[str, _Flight] = {}

    # ---- callers' threads ------------------------------------------------------------------------

    def dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        """Send a request, whose waiter is registered, to the workers of its targets.

        :raises UnknownRouteError: when a target takes no payload of that class from a caller.
        :raises WireError: when MessagePack has no form for the payload.
        :raises RecordTooLargeError: when it is larger than a frame may be.
        """
        name = f"r{next(self._names)}"
        parts = list(self._parts(name, deliveries.boundary_deliveries, waiter))
        if not self._waiters.add_alias(waiter.trace_id, name):
            return  # it has ended: its time was over at once
        self._flights[name] = _Flight(waiter, frozenset(segment for segment, _, _ in parts))
        if not self._waiters.subscribe(waiter, partial(self._landed, name)):
            self._landed(name)
            return
        with self._lock:
            idle = not self._outbox
            for segment, place, part in parts:
                self._outbox.setdefault((segment, place), []).append(part)
        if idle:
            self._wake()

    def close(self) -> None:
        """Let what is in flight fail: the workers are gone, or will not answer any more."""
        for name, flight in list(self._flights.items()):
            self._waiters.complete(_transport_failure(name, flight.waiter.group))

    def _parts(
        self, name: str, inputs: Sequence[BoundaryDispatchInput], waiter: ReplyWaiter
    ) -> Iterator[tuple[int, str, bytes]]:
        """The segment, the place in it and the bytes of each part of a request."""
        for each, weight in zip(inputs, shares(WHOLE, len(inputs)), strict=True):
            edge, key = self._codec.entry(each.target, type(each.payload))
            known = Correlation(waiter.trace_id, each.reply_to, _plain(each.headers), SOURCE)
            sampled = self._ids is not None and self._ids.takes(waiter.trace_id)
            visit = Visit(name, weight, edge, key, each.payload, known, sampled)
            part = self._codec.visit(visit)
            if len(part) + ARRAY_BYTES > self._limit:
                raise RecordTooLargeError(each.target, 0, len(part), self._limit)
            segment = self._segment_of[each.target]
            with self._lock:
                index = self._turns[segment].of(each.payload)
            yield segment, self._places[segment][index], part

    def _landed(self, name: str) -> None:
        """A request has its outcome, by whatever way."""
        flight = self._flights.pop(name, None)
        if flight is not None and flight.waiter.outcome is not None:
            self._on_outcome(flight.waiter.outcome)

    # ---- the hub's thread ------------------------------------------------------------------------

    def outgoing(self) -> Iterator[tuple[str, list[Buffer]]]:
        """See :class:`Guest`."""
        with self._lock:
            outbox, self._outbox = self._outbox, {}
        workers = self._workers() if outbox else {}
        for (segment, place), parts in outbox.items():
            worker = workers[place]
            header = encode_header(RequestHeader(CLIENT, worker, self._run_id, None, segment))
            for payload in frames_of(parts, self._limit):
                yield worker, self._keys.seal(worker, header, payload)

    def arrived(self, worker: str, frame: WireFrame) -> None:
        """See :class:`Guest`.

        :raises TransportError: when the frame is not the worker's.
        :raises WireError: when it holds no answers of this graph.
        """
        self._keys.verify(worker, frame)
        for answer in self._codec.answers(frame.payload):
            self._settle(answer)

    def lost(self, worker: str) -> None:
        """See :class:`Guest`: whatever may be with that worker's group has failed. Any thread."""
        group = group_of(worker)
        for name, flight in list(self._flights.items()):
            if any(group in self._groups[segment] for segment in flight.segments):
                self._waiters.complete(_transport_failure(name, group))

    def _settle(self, answer: Answer) -> None:
        name, flight = answer.request, self._flights.get(answer.request)
        if answer.cause_type:
            self._waiters.complete(self._failure(answer, flight))
        elif answer.replied:
            self._waiters.complete(TerminalEvent(name, "success", answer.payload))
        if flight is not None:
            flight.weight -= answer.weight
            if flight.weight <= 0 and not flight.waiter.done():
                # Nothing of it is left anywhere: the graph has let it end without a reply.
                self._waiters.complete(TerminalEvent(name, "success"))

    def _failure(self, answer: Answer, flight: _Flight | None) -> TerminalEvent:
        group = self._plan.group_of.get(answer.node, "")
        if not group and flight is not None:
            group = flight.waiter.group
        return TerminalEvent(
            answer.request,
            "error",
            error=f"remote handoff failed for group '{group}'",
            category="execution",
            group=group,
            node=answer.node,
            cause_type=answer.cause_type,
        )


def _transport_failure(name: str, group: str) -> TerminalEvent:
    error = f"remote handoff transport failed for group '{group}'"
    return TerminalEvent(name, "error", error=error, category="transport", group=group)


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(headers) if headers else _NONE


def _groups_behind(plan: ExecutionPlan) -> list[frozenset[str]]:
    """The groups that what comes to each segment may pass, its own among them."""
    behind: dict[int, frozenset[str]] = {}
    for segment in reversed(plan.segments):
        further = (behind[index] for index in segment.downstream)
        behind[segment.index] = frozenset((segment.group,)).union(*further)
    return [behind[segment.index] for segment in plan.segments]
