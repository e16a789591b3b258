"""The hub's decisions about frames, from their headers alone. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import NamedTuple

from sk_kernel.runtime import SINK, SOURCE, ExecutionPlan

from sk_supervisor._hub.in_flight import InFlight
from sk_supervisor._hub.leads_to import leads_to
from sk_supervisor._hub.versions import RecordRanges, Route, Versions
from sk_supervisor._peer_errors import RelayRefusedError
from sk_supervisor._protocol.frames import AckHeader, BatchHeader, RequestHeader
from sk_supervisor._protocol.worker_ids import came_before, place_of, places_of
from sk_supervisor.errors import AtHand


class CreditGrant(NamedTuple):
    """Credit to send to ``workers``: every batch up to ``acknowledged`` is acknowledged."""

    workers: tuple[str, ...]
    acknowledged: int


class Relay:
    """The routes of one run, and how far its batches have been acknowledged. Thread-safe.

    :param workers: the worker in each place.
    :param restartable: the groups whose workers may be replaced. Workers upstream of them get
        credit, like the source's worker, as they keep batches that are not acknowledged.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        workers: Mapping[str, str],
        restartable: Collection[str] = (),
    ) -> None:
        self._lock = threading.Lock()
        self._plan = plan
        self._places = places = places_of(plan)
        self._workers = dict(workers)
        self._place_of = {worker: place for place, worker in workers.items()}
        """The place of each current worker, so that no id has to be parsed for each frame."""
        self._reachable: Mapping[int, Collection[int]] = {
            s.index: frozenset(s.downstream) for s in plan.segments
        }
        routes = {
            Route(s.index, a, d, b)
            for s in plan.segments
            for d in s.downstream
            for a in places[s.index]
            for b in places[d]
        }
        self._routes = {route for route in routes if route.sender != route.receiver}
        again = {
            place for s in plan.segments if s.group in restartable for place in places[s.index]
        }
        keepers = {route.sender for route in self._routes if route.receiver in again}
        source = places[plan.segment_of(SOURCE).index]
        self._credited = tuple(dict.fromkeys([*source, *sorted(keepers)]))
        last = plan.segment_of(SINK).index
        self._last = last, places[last][0]
        #: Whether the hub sees batches for the sink's worker, not only its acknowledgements.
        self._sees_all = any(route.receiver == places[last][0] for route in self._routes)
        self._ended: set[Route] = set()
        self._last_epoch = 0
        self._in_flight = InFlight(plan)
        self._versions = Versions(routes, again)
        self.acknowledged = 0
        """The last batch that the sink's segment has acknowledged."""

    def has_sent_all(self, worker: str) -> bool:
        """Whether a worker has sent the end of input by every route out of its place."""
        with self._lock:
            place = self._place_of.get(worker)
            routes = {route for route in self._routes if route.sender == place}
            return bool(routes) and routes <= self._ended

    def at_hand(self, worker: str) -> AtHand | None:
        """The batches that were sent to a worker and have not come out of it; None if unknown.

        Any thread. The worker's last frames may still be under way, so it may have finished the
        first of them.
        """
        with self._lock:
            place = self._place_of.get(worker)
            return self._in_flight.at_hand(place) if place is not None else None

    def share(self, worker: str, node: str) -> RecordRanges:
        """The records whose version in the output is that of a worker's node. Any thread.

        See :class:`Versions`.
        """
        segment, targets = self._plan.segment_of(node).index, leads_to(self._plan, node)
        with self._lock:
            return self._versions.share(worker, segment, targets)

    def has_got_all(self, worker: str) -> bool:
        """Whether the end of input was sent to a worker by every route into its place."""
        with self._lock:
            place = self._place_of.get(worker)
            routes = {route for route in self._routes if route.receiver == place}
            return bool(routes) and routes <= self._ended

    @property
    def complete(self) -> bool:
        """Whether every batch, to the end of input, has been acknowledged."""
        return 0 < self._last_epoch <= self.acknowledged

    def hand_over(self, worker: str) -> None:
        """Put ``worker`` into its place; frames from and for the former worker are dropped.

        Any thread.
        """
        with self._lock:
            place = place_of(worker)
            self._versions.handed_over(worker)
            del self._place_of[self._workers[place]]
            self._workers[place] = worker
            self._place_of[worker] = place
            self._ended = {route for route in self._ended if route.sender != place}
            self._in_flight.handed_over(place)

    def route(self, connection: str, header: BatchHeader, *, final: bool = False) -> str | None:
        """The receiver of a frame; None if its sender or receiver has been replaced.

        :raises RelayRefusedError: when the worker of ``connection`` may not send it.
        """
        with self._lock:
            if header.sender != connection:
                raise RelayRefusedError(connection, f"claims segment {header.source_segment}")
            places = self._ends(connection, header.source_segment, header)
            if places is None:
                return None
            sender, receiver = places
            if sender == receiver:
                raise RelayRefusedError(connection, "names itself as receiver")
            if not header.more:
                route = Route(header.source_segment, sender, header.target_segment, receiver)
                # Records that nodes emit when they finish have the number after the last record.
                self._versions.passed(route, header.last + final)
                if final:
                    self._ended.add(route)
                    self._last_epoch = header.epoch
            self._in_flight.sent(sender, receiver, header)
            return header.receiver

    def pass_on(self, connection: str, header: RequestHeader) -> str | None:
        """The receiver of records of requests; None as in :meth:`route`.

        :raises RelayRefusedError: when the worker of ``connection`` may not send them.
        """
        with self._lock:
            if header.sender != connection or header.source_segment is None:
                raise RelayRefusedError(connection, "sends requests in another's name")
            places = self._ends(connection, header.source_segment, header)
            return header.receiver if places is not None else None

    def acknowledge(self, connection: str, header: AckHeader) -> CreditGrant | None:
        """Note an acknowledgement of the sink's segment; return the credit to send, if it is new.

        :raises RelayRefusedError: when the worker of ``connection`` may not acknowledge the batch,
            or no part of the batch has been sent yet.
        """
        with self._lock:
            problem = f"acknowledges for segment {header.segment}"
            if header.sender != connection:
                raise RelayRefusedError(connection, problem)
            segment, place = self._last
            if header.segment != segment or self._runs(connection, segment) != place:
                self._check_replaced(connection, connection, problem)
                return None
            if self._sees_all and header.epoch > self._in_flight.newest:
                problem = f"acknowledges batch {header.epoch}, of which nothing was sent yet"
                raise RelayRefusedError(connection, problem)
            before = self.acknowledged
            self.acknowledged = now = max(before, header.epoch)
            self._in_flight.acknowledged(place, now)
            workers = tuple(self._workers[place] for place in self._credited)
            return CreditGrant(workers, now) if now > before else None

    def _ends(
        self, connection: str, source: int, header: BatchHeader | RequestHeader
    ) -> tuple[str, str] | None:
        """The places of the sender and the receiver; None if one of the two has been replaced.

        :raises RelayRefusedError: when the worker of ``connection`` may not send such a frame.
        """
        sender = self._runs(connection, source)
        if sender is None:
            self._check_replaced(connection, connection, f"claims segment {source}")
            return None
        if header.target_segment not in self._reachable[source]:
            problem = f"is not upstream of segment {header.target_segment}"
            raise RelayRefusedError(connection, problem)
        receiver = self._runs(header.receiver, header.target_segment)
        if receiver is None:
            problem = f"names {header.receiver!r} as receiver"
            self._check_replaced(header.receiver, connection, problem)
            return None
        return sender, receiver

    def _check_replaced(self, worker: str, connection: str, problem: str) -> None:
        """Check that ``worker`` has been replaced, so that its frames are dropped.

        :raises RelayRefusedError: when it has not been; the worker of ``connection`` is at fault.
        """
        if not self._is_former(worker):
            raise RelayRefusedError(connection, problem)

    def _is_former(self, worker: str) -> bool:
        """Whether ``worker`` was in its place before the current worker."""
        now = self._workers.get(place_of(worker))
        return now is not None and came_before(worker, now)

    def _runs(self, worker: str, segment: int) -> str | None:
        """The place in which a worker runs a segment; None if it does not."""
        place = self._place_of.get(worker)
        return place if place in self._places.get(segment, ()) else None
