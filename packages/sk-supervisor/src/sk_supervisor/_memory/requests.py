"""The requests of a memory-profile run, from when it can accept them until it has ended."""

from __future__ import annotations

import threading
from math import inf

from sk_kernel import KernelError
from sk_kernel.runtime import Entrances, MemoryRun, TraceIds

from sk_supervisor._memory.gateway import LocalGateway
from sk_supervisor._memory.life import WORKER
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._protocol.failures import START
from sk_supervisor._requests.faults import RequestFaults
from sk_supervisor._requests.flights import OnFailure
from sk_supervisor._requests.handoff import Handoff
from sk_supervisor._text.redaction import redactor_of
from sk_supervisor.errors import RuntimeLifecycleReadyError


class LocalRequests:
    """Open, settle, drain and close the requests of a memory-profile run as the run proceeds.

    :param on_failure: called in any thread for a request that has failed.
    """

    def __init__(self, prepared: Prepared, run_id: str, on_failure: OnFailure) -> None:
        self._prepared, self._run_id, self._on_failure = prepared, run_id, on_failure
        self._settled = threading.Condition()
        self._gateway: LocalGateway | None = None
        platform, clean = prepared.config.runtime.platform, redactor_of(prepared.config)
        self._faults = RequestFaults(clean)
        self.handoff = Handoff(prepared.plan, platform, self._told_settled, clean)

    def open(self, run: MemoryRun) -> None:
        """Accept requests, when the run is about to read. They are traced if the run is.

        :raises RuntimeLifecycleReadyError: when the system cannot start a thread.
        """
        run.requests.on_failed = self._faults.tell
        tracing = self._prepared.config.runtime.observability.tracing
        takes = TraceIds(self._run_id, tracing.sampling_ratio).takes
        try:
            self._gateway = LocalGateway(
                run,
                self.handoff.waiters,
                Entrances(self._prepared.application.graph, self._run_id),
                takes=takes if tracing.exporters else lambda _: False,
                on_failure=self._on_failure,
            )
        except OSError as error:
            raise RuntimeLifecycleReadyError(START, [WORKER], 0.0, str(error)) from error
        self.handoff.open(self._gateway)

    def settle(self, seconds: float = inf) -> None:
        """Accept no more requests; return when all accepted ones have been answered or expired.

        :param seconds: how long until all of them are given up because the run is to end.
        """
        waiters = self.handoff.waiters
        self.handoff.refuse()
        last = waiters.now() + seconds
        while self.handoff.unsettled:
            due = waiters.next_due()
            until = last if due is None else min(due, last)
            self._await_settled(None if until == inf else max(until - waiters.now(), 0.0))
            if waiters.now() >= last:
                self._give_up()
                return
            waiters.expire()

    def drain(self) -> None:
        """Settle at the end of input, and return when the nodes run no request any more."""
        self.settle()
        if self._gateway is not None:
            self._gateway.drain()

    def _give_up(self) -> None:
        self.handoff.give_up()
        if self._gateway is not None:
            self._gateway.give_up()

    def _await_settled(self, timeout: float | None) -> None:
        with self._settled:
            self._settled.wait_for(lambda: not self.handoff.unsettled, timeout)

    def _told_settled(self) -> None:
        with self._settled:
            self._settled.notify_all()

    def close(self, failure: BaseException | None = None) -> None:
        """Fail the requests in flight. Idempotent.

        :param failure: the error that ended the run, if any.
        """
        if isinstance(failure, KernelError):
            self.handoff.failure = failure
        self.handoff.close()
        self._faults.tell_rest()
