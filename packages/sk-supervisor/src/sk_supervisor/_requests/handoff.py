"""Requests to the nodes of a run: registered, sent to the groups of their targets, answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from sk_kernel import (
    BoundaryDispatchInput,
    Envelope,
    KernelError,
    ReplyWaiter,
    RequestsClosedError,
    TerminalEvent,
    TooManyInputsError,
)
from sk_kernel.runtime import (
    ExecutionPlan,
    ReplyCoordinatorService,
    ReplyCounters,
    ReplyEvent,
    ReplyWaiterService,
    RouteCache,
    RouteCacheSnapshot,
    RoutingResult,
    RoutingService,
    names_of,
)

from sk_supervisor.errors import (
    HandoffError,
    HandoffFailedError,
    HandoffTimeoutError,
    HandoffTransportError,
)

if TYPE_CHECKING:
    from sk_config import PlatformConfig


class Gateway(Protocol):
    """Passes requests on to the processes, or the thread, that run the nodes."""

    def dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        """Send a request, without waiting for its outcome."""

    def close(self) -> None:
        """Fail the requests in flight."""


class Handoff:
    """The requests of one run. Thread-safe.

    ``failure`` is the error that ended the run: later requests are rejected with its message.

    :param on_settled: called, in any thread, when no more requests are accepted and the last one is
        answered, and again when the nodes have finished it.
    :param clean: masks secrets in a text.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        platform: PlatformConfig,
        on_settled: Callable[[], None],
        clean: Callable[[str], str] = str,
    ) -> None:
        cache, limits = platform.routing_cache, platform.requests
        self._patience, self._most = float(limits.timeout_seconds), limits.max_in_flight
        self._on_settled, self._clean = on_settled, clean
        self.failure: KernelError | None = None
        self.waiters = ReplyWaiterService(
            max_in_flight=limits.max_in_flight, on_event=self._happened
        )
        self.routing = RoutingService(
            plan,
            cache=RouteCache(
                enabled=cache.enabled,
                negative_cache=cache.negative_cache,
                max_entries=cache.max_entries,
            ),
        )
        self._coordinator = ReplyCoordinatorService(self.waiters, self.routing, self._dispatch)
        self._gateway: Gateway | None = None
        self._ending = False
        self._decided = threading.Event()

    def open(self, gateway: Gateway) -> None:
        """Accept requests from now on."""
        self._gateway = gateway
        self._decided.set()

    def request(
        self, envelope: Envelope[Any], *, timeout_seconds: float | None = None
    ) -> ReplyWaiter:
        """Send a request; ``await`` the returned waiter, or call its ``wait()``, for the outcome.

        :raises RequestRefusedError: when too many requests are in flight, the trace id is in use,
            or the run does not accept requests.
        :raises UnknownRouteError: when no node takes the payload.
        :raises UnsendableRequestError, RecordTooLargeError: when it cannot be sent.
        """
        patience = self._patience if timeout_seconds is None else timeout_seconds
        try:
            return self._coordinator.request(envelope, timeout_seconds=patience)
        except RequestsClosedError as refused:
            raise self._closed(refused) from self.failure

    def execute_boundary(
        self, inputs: Sequence[BoundaryDispatchInput], *, timeout_seconds: float | None = None
    ) -> RoutingResult:
        """Run inputs through the graph from their targets on, and wait until all have ended.

        Each goes to the group that owns its target. The replies are the terminal outputs, in the
        order of the inputs, with the trace id and ``reply_to`` of their inputs; an input that ends
        in the graph without a reply has none. If several inputs fail, the first one's failure is
        raised.

        :raises HandoffTimeoutError: when an input timed out (a ``TimeoutError``).
        :raises HandoffTransportError: when its group was lost (a ``ConnectionError``).
        :raises HandoffFailedError: when a node failed (a ``RuntimeError``).
        :raises UnknownRouteError: when there is no such group, it does not run the target, or the
            target does not take the payload. A retry cannot succeed.
        :raises TooManyInputsError: when there are more inputs than may ever be in flight.
        :raises RequestRefusedError: as :meth:`request`; nothing is sent unless all are accepted.
        :raises UnsendableRequestError, RecordTooLargeError: when an input cannot be sent; those
            sent before it are cancelled.
        """
        self.routing.by_group(inputs)
        if len(inputs) > self._most:
            raise TooManyInputsError(len(inputs), self._most)
        patience = self._patience if timeout_seconds is None else timeout_seconds
        waiters: list[ReplyWaiter] = []
        try:
            for each in inputs:
                waiters.append(self._registered(each, patience))
            for each, waiter in zip(inputs, waiters, strict=True):
                self._dispatch(RoutingResult(boundary_deliveries=[each]), waiter)
            replies = [waiter.wait() for waiter in waiters]
        except RequestsClosedError as refused:
            raise self._closed(refused) from self.failure
        finally:
            for waiter in waiters:
                waiter.cancel()
        for terminal in replies:
            if terminal.status != "success":
                raise _error_of(terminal)
        outputs = [
            Envelope(reply.payload, reply.trace_id, None, waiter.reply_to, each.headers)
            for each, waiter, reply in zip(inputs, waiters, replies, strict=True)
            if reply.payload is not None
        ]
        return RoutingResult(terminal_outputs=outputs)

    def wait_started(self, seconds: float) -> bool:
        """Wait until the run has accepted requests; False if it does not in time, or never will."""
        self._decided.wait(seconds)
        return self._gateway is not None

    def cache_snapshot(self) -> RouteCacheSnapshot:
        """The counters of the routing cache."""
        return self.routing.cache_snapshot()

    def counters(self) -> ReplyCounters:
        """The counts of requests so far, by outcome."""
        return self.waiters.counters()

    @property
    def in_flight(self) -> int:
        """The number of requests that are not answered yet."""
        return self.waiters.in_flight

    @property
    def unsettled(self) -> int:
        """The number of requests that are not answered, or that the nodes have not finished."""
        counters = self.waiters.counters()
        return counters.in_flight + counters.unfinished

    def refuse(self) -> None:
        """Accept no more requests. Idempotent."""
        self.waiters.refuse()
        self._ending = True

    def give_up(self) -> None:
        """Time out all requests in flight."""
        self.waiters.expire(inf)

    def close(self) -> None:
        """Accept no more requests, and fail those in flight. Idempotent."""
        self.refuse()
        if self._gateway is not None:
            self._gateway.close()
        self.waiters.close()
        self._decided.set()

    def _happened(self, event: ReplyEvent) -> None:
        """Call ``on_settled`` if this event was that of the last request."""
        over = event.name in ("completed", "cancelled", "expired", "released")
        if over and self._ending and not self.waiters.in_flight:
            self._on_settled()

    def _registered(self, each: BoundaryDispatchInput, patience: float) -> ReplyWaiter:
        """Register a waiter for the reply to one input, with a timeout of ``patience`` seconds."""
        trace_id, spare = names_of(each.trace_id, each.headers)
        reply_to, group = each.reply_to or trace_id, each.dispatch_group
        return self.waiters.register(trace_id, reply_to, patience, group=group, spare=spare)

    def _closed(self, refused: RequestsClosedError) -> RequestsClosedError:
        """The error for a rejected request; it names the run's failure if that is known."""
        if self.failure is None:
            return refused
        return RequestsClosedError(self._clean(str(self.failure).partition("\n")[0]))

    def _dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        if self._gateway is None:
            raise RequestsClosedError
        self._gateway.dispatch(deliveries, waiter)


def _error_of(terminal: TerminalEvent) -> HandoffError:
    """The exception for an outcome that is not a success."""
    kinds = (HandoffTimeoutError, HandoffTransportError, HandoffFailedError)
    kind = next((kind for kind in kinds if kind.category == terminal.category), HandoffError)
    return kind(
        terminal.group,
        trace_id=terminal.trace_id,
        node=terminal.node,
        cause_type=terminal.cause_type,
    )
