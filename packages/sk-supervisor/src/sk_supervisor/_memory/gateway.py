"""Requests of the memory profile, run one by one in a thread of their own, between two batches."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from sk_kernel import ReplyWaiter
from sk_kernel.runtime import (
    MEMORY,
    WHOLE,
    Answer,
    Entrances,
    MemoryRun,
    ReplyWaiterService,
    RoutingResult,
    Tally,
    Visit,
)

from sk_supervisor._memory.life import WORKER
from sk_supervisor._requests.flights import Flights, OnFailure, name_of, visits_of
from sk_supervisor._requests.outcomes import terminal_of
from sk_supervisor._system.threads import as_here, begin


class _Flight(NamedTuple):
    """A request that the nodes have not finished, its records, and the tally of its answers."""

    waiter: ReplyWaiter
    visits: list[Visit]
    tally: Tally


class LocalGateway:
    """A :class:`Gateway` of a run of the memory profile: no request leaves the process.

    Payloads are passed to the nodes without encoding. Nodes run with the context variables of the
    thread that creates the gateway, which is the thread of the run.

    :param takes: whether the request with this trace id is traced.
    :param on_failure: called in any thread for a request that has failed; must not block.
    :raises OSError: when the system cannot start a thread.
    """

    def __init__(
        self,
        run: MemoryRun,
        waiters: ReplyWaiterService,
        entrances: Entrances,
        *,
        takes: Callable[[str], bool],
        on_failure: OnFailure,
    ) -> None:
        self._run, self._waiters, self._entrances = run, waiters, entrances
        self._takes = takes
        self._numbers = count(1)
        self._flights: Flights[_Flight] = Flights(waiters, on_failure)
        self._waiting: queue.SimpleQueue[_Flight | None] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=as_here(), args=(self._work,), name="requests", daemon=True
        )
        begin(self._thread)

    def dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        """See :meth:`Gateway.dispatch`.

        :raises UnknownRouteError: when a target takes no payload of that class from a caller.
        """
        number = next(self._numbers)
        visits = visits_of(
            number,
            deliveries.boundary_deliveries,
            waiter.trace_id,
            self._entrances,
            sampled=self._takes(waiter.trace_id),
            due=waiter.due,
        )
        flight = _Flight(waiter, list(visits), Tally())
        if self._flights.add(name_of(number), flight):
            self._waiting.put(flight)

    def give_up(self) -> None:
        """Treat all requests as expired, and cancel the coroutine that one of them waits in."""
        self._run.requests.expire()

    def drain(self) -> None:
        """Return when every request so far has been run; later ones are not run."""
        self._waiting.put(None)
        self._thread.join()

    def close(self) -> None:
        """Fail the requests in flight at once; the thread ends after the one that it runs."""
        for name in self._flights.now():
            self._flights.lose(name, MEMORY, WORKER)
        self._waiting.put(None)

    def _work(self) -> None:
        """Run one request after the other until :meth:`drain` or :meth:`close`, in the thread."""
        while (flight := self._waiting.get()) is not None:
            self._waiters.expire()
            # A request that no caller waits for any more is not run.
            outcomes = [] if flight.waiter.done() else self._ran(flight.visits)
            self._flights.done(flight.visits[0].request)
            self._tell(flight, outcomes)

    def _tell(self, flight: _Flight, outcomes: Sequence[Answer]) -> None:
        for outcome in outcomes:
            said = flight.tally.take(outcome)
            if said is not None:
                self._waiters.settle(flight.waiter, terminal_of(said, MEMORY, WORKER))

    def _ran(self, visits: Sequence[Visit]) -> list[Answer]:
        """Run them while no batch is run; an error that no node raised becomes an answer too."""
        try:
            with self._run.turn:  # there is one segment only, so nothing goes on to another one
                return self._run.requests.run(visits).answers
        except BaseException as error:  # noqa: BLE001 - the thread must go on with other requests
            return [Answer(visits[0].request, WHOLE, cause_type=type(error).__name__)]
