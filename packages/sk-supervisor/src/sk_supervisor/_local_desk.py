"""Requests in the memory profile: run one by one in a thread of their own, between two batches."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count

from sk_kernel import (
    MEMORY,
    SOURCE,
    WHOLE,
    Answer,
    Correlation,
    KernelError,
    MemoryRun,
    ReplyWaiter,
    ReplyWaiterService,
    RequestCodec,
    RoutingResult,
    TerminalEvent,
    TraceIds,
    Visit,
)

from sk_supervisor._preflight import Prepared

#: How long a node may be at a request when the run is to be over.
_CLOSE_SECONDS = 1.0


class LocalDesk:
    """A :class:`Desk` beside a run of the memory profile: nothing takes a transport hop.

    Payloads are handed on as they are.

    :param on_outcome: called in any thread with the outcome of each request; must not block.
    """

    def __init__(
        self,
        run: MemoryRun,
        waiters: ReplyWaiterService,
        codec: RequestCodec,
        takes: Callable[[str], bool],
        on_outcome: Callable[[TerminalEvent], None],
    ) -> None:
        self._run, self._waiters, self._codec, self._takes = run, waiters, codec, takes
        self._on_outcome = on_outcome
        self._names = count(1)
        self._waiting: queue.SimpleQueue[list[tuple[ReplyWaiter, Visit]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._work, name="requests", daemon=True)
        self._thread.start()

    def dispatch(self, deliveries: RoutingResult, waiter: ReplyWaiter) -> None:
        """See the protocol.

        :raises UnknownRouteError: when a target takes no payload of that class from a caller.
        """
        name = f"r{next(self._names)}"
        visits = []
        for each in deliveries.boundary_deliveries:
            edge, key = self._codec.entry(each.target, type(each.payload))
            known = Correlation(waiter.trace_id, each.reply_to, dict(each.headers), SOURCE)
            sampled = self._takes(waiter.trace_id)
            visits.append((waiter, Visit(name, WHOLE, edge, key, each.payload, known, sampled)))
        if not self._waiters.add_alias(waiter.trace_id, name):
            return  # it has ended: its time was over at once
        if self._waiters.subscribe(waiter, partial(self._landed, waiter)):
            self._waiting.put(visits)
        else:
            self._landed(waiter)

    def drain(self) -> None:
        """Take no more, and return when whatever was asked is answered."""
        self._waiting.put(None)
        self._thread.join()

    def close(self) -> None:
        """See the protocol. What is in work is waited for, but not for ever."""
        self._waiting.put(None)
        self._thread.join(_CLOSE_SECONDS)
        with suppress(queue.Empty):
            while True:
                for waiter, _ in self._waiting.get_nowait() or ():
                    waiter.cancel()

    def _landed(self, waiter: ReplyWaiter) -> None:
        if waiter.outcome is not None:
            self._on_outcome(waiter.outcome)

    def _work(self) -> None:
        while (visits := self._waiting.get()) is not None:
            for waiter, visit in visits:
                if not waiter.done():
                    self._answer(waiter, visit)

    def _answer(self, waiter: ReplyWaiter, visit: Visit) -> None:
        try:
            with self._run.turn:
                outcomes = list(self._run.requests.run([visit]))
        except KernelError as error:
            outcomes = [Answer(visit.request, WHOLE, cause_type=type(error).__name__)]
        for outcome in outcomes:
            # One segment is all there is, and nothing goes on to another.
            if isinstance(outcome, Answer):
                self._waiters.complete(_terminal(outcome))


def desk_of(
    prepared: Prepared,
    run_id: str,
    run: MemoryRun,
    waiters: ReplyWaiterService,
    on_outcome: Callable[[TerminalEvent], None],
) -> LocalDesk:
    """The desk of a run; its requests are traced where the run is."""
    tracing = prepared.config.runtime.observability.tracing
    takes = TraceIds(run_id, tracing.sampling_ratio).takes
    codec = RequestCodec(prepared.application.graph)
    return LocalDesk(
        run, waiters, codec, takes if tracing.exporters else lambda _: False, on_outcome
    )


def _terminal(answer: Answer) -> TerminalEvent:
    if not answer.cause_type:
        return TerminalEvent(answer.request, "success", answer.payload)
    return TerminalEvent(
        answer.request,
        "error",
        error=f"remote handoff failed for group '{MEMORY}'",
        category="execution",
        group=MEMORY,
        node=answer.node,
        cause_type=answer.cause_type,
    )
