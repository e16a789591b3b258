"""Requests on their way through the nodes: what the gateways of all profiles do about them."""

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

#: The headers of a request without any; nobody changes them.
_NO_HEADERS: Final[dict[str, str]] = {}


class Flight(Protocol):
    """A request that the nodes have not done with."""

    @property
    def waiter(self) -> ReplyWaiter:
        """That of whoever asked."""


F = TypeVar("F", bound=Flight)

#: Takes the outcome of a request that has failed, and the id of the trace that its spans are in.
OnFailure = Callable[[TerminalEvent, str], None]


class Flights(Generic[F]):
    """The requests that a gateway's nodes have not done with, by the names that they have there.

    They are held, and so count as in flight, until :meth:`done`: what nobody waits for any more is
    with the nodes all the same, and must not become more and more. Any thread.

    :param on_failure: called in any thread for a request that has failed; must not block.
    """

    def __init__(self, waiters: ReplyWaiterService, on_failure: OnFailure) -> None:
        self._waiters, self._on_failure = waiters, on_failure
        self._flights: dict[str, F] = {}

    def add(self, name: str, flight: F) -> bool:
        """Take one up, until it is done; False where it has its outcome already: send nothing."""
        waiter = flight.waiter
        if not self._waiters.hold(waiter):
            return False  # it has ended: its time was over at once
        self._flights[name] = flight  # last: from now on it can be done, or lost, in any thread
        if not self._waiters.subscribe(waiter, partial(self._landed, waiter)):
            self.done(name)
            self._landed(waiter)
            return False
        return True

    def get(self, name: str) -> F | None:
        """The request of this name; None where the nodes have done with it."""
        return self._flights.get(name)

    def now(self) -> dict[str, F]:
        """Those that are with the nodes at this moment."""
        return self._flights.copy()

    def done(self, name: str) -> None:
        """The nodes have done with one, or have lost it. More than once: nothing."""
        flight = self._flights.pop(name, None)
        if flight is not None:
            self._waiters.release(flight.waiter)

    def lose(self, name: str, group: str, worker: str = "") -> None:
        """Let one fail: it was lost with a group, by the loss of that worker, if of any."""
        flight = self._flights.get(name)
        self.done(name)
        if flight is not None and not flight.waiter.done():
            self._waiters.settle(flight.waiter, transport_failure(name, group, worker))

    def _landed(self, waiter: ReplyWaiter) -> None:
        """A request has its outcome, by whatever way."""
        outcome = waiter.outcome
        if outcome is not None and outcome.status in ("error", "timeout"):
            self._on_failure(outcome, w3c_trace_id(waiter.asked_as))


def name_of(number: int) -> str:
    """The name that a gateway's request of this number has in the graph, and nowhere else."""
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
    """What the inputs of one request are to their targets, in their order.

    :param number: the request's: its name is of it, and the keys of its records are.
    :param sampled: whether it is traced, where the headers of an input do not say otherwise.
    :param due: until when somebody waits for it, in seconds by ``time.monotonic``.
    :raises UnknownRouteError: when a target takes no payload of that class from a caller.
    """
    weights = shares(WHOLE, len(inputs))
    for place, (each, weight) in enumerate(zip(inputs, weights, strict=True)):
        edge = entrances.entry(each.target, type(each.payload))
        key = entrances.root(number, place, len(inputs))
        known = Correlation(trace_id, each.reply_to, _NO_HEADERS, SOURCE)
        if each.headers:
            known, sampled = carried_with(each, trace_id, sampled=sampled)
        yield Visit(name_of(number), weight, edge, key, each.payload, known, sampled, due)
