"""The client side of requests: send an envelope, and return a waiter for the reply."""

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
    """Routes a request, registers a waiter for it, and passes both to ``dispatch``.

    A request is for nodes only. If the sink consumes its payload as well, the request goes to the
    nodes that consume it, but not to the sink: the caller takes the place of the sink, and already
    has the payload.

    ``dispatch`` receives the local and boundary deliveries of one request, and its waiter. It is
    called in the caller's thread after the waiter is registered, and does the I/O. Terminal events
    are given to the :class:`ReplyWaiterService`, from any thread.
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
        """Send a request; ``await`` the returned waiter, or call its ``wait()``, for the outcome.

        An envelope without a ``trace_id`` gets the one in its header ``traceparent``, if it has
        that header, or else a random one. If a request in flight already uses the id of the
        ``traceparent``, the waiter gets a random one. An envelope without a ``reply_to`` gets its
        trace id as ``reply_to``. If this raises, nothing stays registered.

        :raises RequestRefusedError: when too many requests are in flight, the trace id is in use,
            or ``trace_id``, ``target`` or ``reply_to`` is not text, or ``trace_id`` or
            ``reply_to`` is too long.
        :raises UnknownRouteError: when no node consumes the payload.
        :raises TypeError: when ``envelope`` is not an :class:`Envelope`, or ``timeout_seconds`` not
            a number.
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
