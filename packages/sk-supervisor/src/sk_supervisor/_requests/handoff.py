"""Requests to the nodes of a run: asked, handed to the groups of their targets, and answered."""

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
    """Where requests are handed to whatever runs the nodes."""

    def dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        """Send a request on its way. Never waits for it."""

    def close(self) -> None:
        """Let what is in flight fail."""


class Handoff:
    """The requests of one run. Safe in any thread.

    ``failure`` is what the run has failed of: whoever asks anything from then on is told so.

    :param on_settled: called, in any thread, when no more requests are taken and the last one is
        answered, and again when the nodes have done with it.
    :param clean: takes what nobody may be shown out of a text.
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
        """Take requests from now on."""
        self._gateway = gateway
        self._decided.set()

    def request(
        self, envelope: Envelope[Any], *, timeout_seconds: float | None = None
    ) -> ReplyWaiter:
        """Send a request; ``await`` what this gives, or call its ``wait()``, for the outcome.

        :raises RequestRefusedError: when too many are in flight, its trace id is in use, or no run
            is open to it.
        :raises UnknownRouteError: when no node takes it.
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
        """Run inputs from their targets on, each in the group that owns its target; wait for all.

        The replies are the terminal outputs, in the order of the inputs, each under the trace id
        and ``reply_to`` of its input; an input that the graph lets end without a reply has none.

        :raises HandoffTimeoutError: a ``TimeoutError``.
        :raises HandoffTransportError: a ``ConnectionError``: the group was lost.
        :raises HandoffFailedError: a ``RuntimeError``: a node failed. In each case the failure of
            the first input that has one, when all have ended.
        :raises UnknownRouteError: when there is no such group, it does not run the target, or that
            does not take the payload: of no use to try again.
        :raises TooManyInputsError: when they are more than may ever be in flight.
        :raises RequestRefusedError: as :meth:`request`; nothing is sent where not all are taken.
        :raises UnsendableRequestError, RecordTooLargeError: when one of them cannot be sent; what
            was sent before is cancelled.
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
        """Whether requests are taken, or were, within the time; False at once if none will be."""
        self._decided.wait(seconds)
        return self._gateway is not None

    def cache_snapshot(self) -> RouteCacheSnapshot:
        """How the routing cache stands."""
        return self.routing.cache_snapshot()

    def counters(self) -> ReplyCounters:
        """What became of the requests so far."""
        return self.waiters.counters()

    @property
    def in_flight(self) -> int:
        """How many requests are not answered yet."""
        return self.waiters.in_flight

    @property
    def unsettled(self) -> int:
        """How many are not answered yet, or are answered and not done with: the nodes go on."""
        counters = self.waiters.counters()
        return counters.in_flight + counters.unfinished

    def refuse(self) -> None:
        """Take no more requests. More than once: nothing."""
        self.waiters.refuse()
        self._ending = True

    def give_up(self) -> None:
        """Let what is in flight run out of time."""
        self.waiters.expire(inf)

    def close(self) -> None:
        """Let whatever is in flight fail. More than once: nothing."""
        self.refuse()
        if self._gateway is not None:
            self._gateway.close()
        self.waiters.close()
        self._decided.set()

    def _happened(self, event: ReplyEvent) -> None:
        """Something has become of a request: see whether it was the last one."""
        over = event.name in ("completed", "cancelled", "expired", "released")
        if over and self._ending and not self.waiters.in_flight:
            self._on_settled()

    def _registered(self, each: BoundaryDispatchInput, patience: float) -> ReplyWaiter:
        """Who waits for the reply to one input, ``patience`` seconds."""
        trace_id, spare = names_of(each.trace_id, each.headers)
        reply_to, group = each.reply_to or trace_id, each.dispatch_group
        return self.waiters.register(trace_id, reply_to, patience, group=group, spare=spare)

    def _closed(self, refused: RequestsClosedError) -> RequestsClosedError:
        """Why no request is taken, as far as that is known by now."""
        if self.failure is None:
            return refused
        return RequestsClosedError(self._clean(str(self.failure).partition("\n")[0]))

    def _dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        if self._gateway is None:
            raise RequestsClosedError
        self._gateway.dispatch(deliveries, waiter)


def _error_of(terminal: TerminalEvent) -> HandoffError:
    """What an outcome that is no success stands for."""
    kinds = (HandoffTimeoutError, HandoffTransportError, HandoffFailedError)
    kind = next((kind for kind in kinds if kind.category == terminal.category), HandoffError)
    return kind(
        terminal.group,
        trace_id=terminal.trace_id,
        node=terminal.node,
        cause_type=terminal.cause_type,
    )
