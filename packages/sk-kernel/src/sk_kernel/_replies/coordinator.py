"""Requests as a client sees them: an envelope goes out, a waiter comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sk_kernel._record.boundary import RoutingResult
from sk_kernel._record.envelope import Envelope, unfit_name_in
from sk_kernel._replies.routing import RoutingService
from sk_kernel._replies.waiter import ReplyWaiter
from sk_kernel._replies.waiters import ReplyWaiterService
from sk_kernel._requests.caller import names_of, too_long_in
from sk_kernel.errors import UnknownRouteError, UnsendableRequestError


class ReplyCoordinatorService:
    """Routes a request, registers a waiter for it, and hands it to ``dispatch``.

    A request is for nodes. What the sink takes as well goes to the nodes that take it, and to no
    sink: in the place of that is the caller, who has it already.

    ``dispatch`` gets the deliveries, local and over the boundary, of one request, and its waiter;
    it is called in the caller's thread, after the waiter is registered, and is where I/O begins.
    Whoever receives terminals gives them to the service of the waiters, from any thread.
    """

    def __init__(
        self,
        waiters: ReplyWaiterService,
        routing: RoutingService,
        dispatch: Callable[[RoutingResult, ReplyWaiter], object],
    ) -> None:
        self.waiters, self.routing = waiters, routing
        self._dispatch = dispatch

    def request(self, envelope: Envelope[Any], *, timeout_seconds: float = 30.0) -> ReplyWaiter:
        """Send a request; ``await`` what this gives, or call its ``wait()``, for the outcome.

        An envelope without a ``trace_id`` gets that of its header ``traceparent``, if it has one
        (its waiter a random one, where a request in flight goes by that already), else a random
        one; one without a ``reply_to`` its trace id as that. When anything is raised, nothing stays
        registered.

        :raises RequestRefusedError: when too many are in flight, its trace id is in use, or its
            ``trace_id``, ``target`` or ``reply_to`` is no text, or too long.
        :raises UnknownRouteError: when no node takes it.
        :raises TypeError: when it is no envelope, or ``timeout_seconds`` no number.
        """
        if not isinstance(envelope, Envelope):
            wanted = f"write Envelope({type(envelope).__qualname__}(...))"
            raise TypeError(f"a request is an Envelope around its payload: {wanted}")
        if unfit := unfit_name_in(envelope) or too_long_in(envelope):
            raise UnsendableRequestError(unfit)
        trace_id, spare = names_of(envelope.trace_id, envelope.headers)
        envelope = msgspec.structs.replace(
            envelope, trace_id=trace_id, reply_to=envelope.reply_to or trace_id
        )
        deliveries = self.routing.route([envelope])
        if not (deliveries.boundary_deliveries or deliveries.local_deliveries):
            kind, target = type(envelope.payload).__qualname__, envelope.target or ""
            problem = f"{target!r} is no node that consumes" if target else "no node consumes"
            raise UnknownRouteError(f"{problem} {kind}", target=target)
        group = next((each.dispatch_group for each in deliveries.boundary_deliveries), "")
        waiter = self.waiters.register(
            trace_id, envelope.reply_to, timeout_seconds, group=group, spare=spare
        )
        try:
            self._dispatch(deliveries, waiter)
        except BaseException:
            waiter.cancel()
            raise
        return waiter
