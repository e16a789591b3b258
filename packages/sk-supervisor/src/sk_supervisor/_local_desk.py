"""Requests in the memory profile: run one by one in a thread of their own, between two batches."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Final, NamedTuple

from sk_kernel import (
    MEMORY,
    SOURCE,
    WHOLE,
    Answer,
    BoundaryDispatchInput,
    Correlation,
    Entrances,
    MemoryRun,
    ReplyWaiter,
    ReplyWaiterService,
    RoutingResult,
    Tally,
    TerminalEvent,
    Visit,
    shares,
    told,
)

from sk_supervisor._outcomes import terminal_of, transport_failure
from sk_supervisor._threads import begin

#: The headers of a request without any; nobody changes them.
_NONE: Final[dict[str, str]] = {}


class _Flight(NamedTuple):
    """A request that has no outcome yet, its records, and how much of it is out."""

    waiter: ReplyWaiter
    visits: list[Visit]
    tally: Tally


class LocalDesk:
    """A :class:`Desk` beside a run of the memory profile: nothing takes a transport hop.

    Payloads are handed on as they are.

    :param takes: says which requests are traced, by their trace ids.
    :param on_failure: called in any thread with the outcome of a request that has failed; must not
        block.
    :raises OSError: when the system has no thread to give.
    """

    def __init__(
        self,
        run: MemoryRun,
        waiters: ReplyWaiterService,
        entrances: Entrances,
        takes: Callable[[str], bool],
        on_failure: Callable[[TerminalEvent], None],
    ) -> None:
        self._run, self._waiters, self._entrances = run, waiters, entrances
        self._takes, self._on_failure = takes, on_failure
        self._numbers = count(1)
        self._flights: dict[str, _Flight] = {}
        self._waiting: queue.SimpleQueue[_Flight | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="requests", daemon=True)
        begin(self._thread)

    def dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        """See the protocol.

        :raises UnknownRouteError: when a target takes no payload of that class from a caller.
        """
        number = next(self._numbers)
        name = f"r{number}"
        visits = list(self._visits(number, deliveries.boundary_deliveries, waiter))
        if not self._waiters.add_alias(waiter.trace_id, name):
            return  # it has ended: its time was over at once
        flight = self._flights[name] = _Flight(waiter, visits, Tally())
        if self._waiters.subscribe(waiter, partial(self._landed, name)):
            self._waiting.put(flight)
        else:
            self._landed(name)

    def drain(self) -> None:
        """Return when whatever was asked has been run; nothing more is."""
        self._waiting.put(None)
        self._thread.join()

    def close(self) -> None:
        """See the protocol. Who is in a node's hands is told at once; the thread ends behind it."""
        for name in self._flights.copy():
            self._waiters.complete(transport_failure(name, MEMORY))
        self._waiting.put(None)

    def _visits(
        self, number: int, inputs: Sequence[BoundaryDispatchInput], waiter: ReplyWaiter
    ) -> Iterator[Visit]:
        sampled = self._takes(waiter.trace_id)
        weights = shares(WHOLE, len(inputs))
        for place, (each, weight) in enumerate(zip(inputs, weights, strict=True)):
            edge = self._entrances.entry(each.target, type(each.payload))
            key = self._entrances.root(number, place, len(inputs))
            known = Correlation(waiter.trace_id, each.reply_to, _NONE, SOURCE)
            if each.headers:
                known, sampled = told(each, waiter.trace_id, sampled=sampled)
            yield Visit(f"r{number}", weight, edge, key, each.payload, known, sampled)

    def _landed(self, name: str) -> None:
        """A request has its outcome, by whatever way."""
        flight = self._flights.pop(name, None)
        outcome = flight.waiter.outcome if flight is not None else None
        if outcome is not None and outcome.status in ("error", "timeout"):
            self._on_failure(outcome)

    def _work(self) -> None:
        while (flight := self._waiting.get()) is not None:
            self._waiters.expire()
            if not flight.waiter.done():  # else nobody waits for it, and none of it has been run
                self._answer(flight)

    def _answer(self, flight: _Flight) -> None:
        """Run a request to its end, as workers would, whatever has answered it before."""
        for outcome in self._ran(flight.visits):
            said = flight.tally.take(outcome)
            if said is not None:
                self._waiters.complete(terminal_of(said, MEMORY))

    def _ran(self, visits: Sequence[Visit]) -> list[Answer]:
        try:
            with self._run.turn:  # one segment is all there is, and nothing goes on to another
                return self._run.requests.run(visits).answers
        except BaseException as error:  # noqa: BLE001 - this thread has all the other requests too
            return [Answer(visits[0].request, WHOLE, cause_type=type(error).__name__)]
