"""Requests that the nodes are working on: the common part of the gateways of all profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from sk_kernel import BoundaryDispatchInput, ReplyWaiter, TerminalEvent
from sk_kernel.runtime import (
    SOURCE,
    WHOLE,
    Correlation,
    Entrances,
    ReplyWaiterService,
    Visit,
    carried_with,
    shares,
    w3c_trace_id,
)

from sk_supervisor._requests.outcomes import transport_failure

#: The headers of a request without headers; shared, and never changed.
_NO_HEADERS: Final[dict[str, str]] = {}


class Flight(Protocol):
    """A request that the nodes have not finished."""

    @property
    def waiter(self) -> ReplyWaiter:
        """The waiter of its caller."""


F = TypeVar("F", bound=Flight)

#: Called with the outcome of a failed request and the id of the trace of its spans.
OnFailure = Callable[[TerminalEvent, str], None]


class Flights(Generic[F]):
    """The requests that a gateway's nodes have not finished, by their names in the graph.

    A request is held, and so counts towards the limit of requests in flight, until :meth:`done`:
    after its caller has given up, the nodes may still work on it. Thread-safe.

    :param on_failure: called in any thread for a request that has failed; must not block.
    """

    def __init__(self, waiters: ReplyWaiterService, on_failure: OnFailure) -> None:
        self._waiters, self._on_failure = waiters, on_failure
        self._flights: dict[str, F] = {}

    def add(self, name: str, flight: F) -> bool:
        """Add a request until it is done; False if it has ended already and must not be sent."""
        waiter = flight.waiter
        if not self._waiters.hold(waiter):
            return False  # it has ended: it was due at once
        self._flights[name] = flight  # from here on any thread may call done() or lose()
        if not self._waiters.subscribe(waiter, partial(self._landed, waiter)):
            self.done(name)
            self._landed(waiter)
            return False
        return True

    def get(self, name: str) -> F | None:
        """The request of this name; None if the nodes have finished it."""
        return self._flights.get(name)

    def now(self) -> dict[str, F]:
        """A copy of the requests that the nodes have not finished."""
        return self._flights.copy()

    def done(self, name: str) -> None:
        """Remove a request that the nodes have finished or lost. Idempotent."""
        flight = self._flights.pop(name, None)
        if flight is not None:
            self._waiters.release(flight.waiter)

    def lose(self, name: str, group: str, worker: str = "") -> None:
        """Fail a request that was lost with a group, and with ``worker`` if that is known."""
        flight = self._flights.get(name)
        self.done(name)
        if flight is not None and not flight.waiter.done():
            self._waiters.settle(flight.waiter, transport_failure(name, group, worker))

    def _landed(self, waiter: ReplyWaiter) -> None:
        """Report the outcome of a request if it is a failure or a timeout."""
        outcome = waiter.outcome
        if outcome is not None and outcome.status in ("error", "timeout"):
            self._on_failure(outcome, w3c_trace_id(waiter.asked_as))


def name_of(number: int) -> str:
    """The name, used only in the graph, of the request with this number of a gateway."""
    return f"r{number}"


def visits_of(
    number: int,
    inputs: Sequence[BoundaryDispatchInput],
    trace_id: str,
    entrances: Entrances,
    *,
    sampled: bool,
    due: float,
) -> Iterator[Visit]:
    """Return the visits that carry the inputs of one request to their targets, in the same order.

    :param number: the number of the request, from which its name and its records' keys are made.
    :param sampled: whether it is traced, unless the headers of an input say otherwise.
    :param due: its deadline, in seconds by ``time.monotonic``.
    :raises UnknownRouteError: when a target takes no payload of that class from a caller.
    :raises UnsendableRequestError: when headers are not all text.
    """
    weights = shares(WHOLE, len(inputs))
    for place, (each, weight) in enumerate(zip(inputs, weights, strict=True)):
        edge = entrances.entry(each.target, type(each.payload))
        key = entrances.root(number, place, len(inputs))
        known, traced = Correlation(trace_id, each.reply_to, _NO_HEADERS, SOURCE), sampled
        if each.headers:
            known, traced = carried_with(each, trace_id, sampled=sampled)
        yield Visit(name_of(number), weight, edge, key, each.payload, known, traced, due)
