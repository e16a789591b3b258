"""Requests beside a run of the memory profile, from when it can take them to when it has ended."""

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
    """What a run of the memory profile does about requests, as it comes along.

    :param on_failure: called in any thread for one that has failed.
    """

    def __init__(self, prepared: Prepared, run_id: str, on_failure: OnFailure) -> None:
        self._prepared, self._run_id, self._on_failure = prepared, run_id, on_failure
        self._settled = threading.Condition()
        self._gateway: LocalGateway | None = None
        platform, clean = prepared.config.runtime.platform, redactor_of(prepared.config)
        self._faults = RequestFaults(clean)
        self.handoff = Handoff(prepared.plan, platform, self._told_settled, clean)

    def open(self, run: MemoryRun) -> None:
        """The run is about to read: take requests. They are traced where the run is.

        :raises RuntimeLifecycleReadyError: when the system has no thread to give.
        """
        run.requests.on_failed = self._faults.tell
        tracing = self._prepared.config.runtime.observability.tracing
        takes = TraceIds(self._run_id, tracing.sampling_ratio).takes
        try:
            self._gateway = LocalGateway(
                run,
                self.handoff.waiters,
                Entrances(self._prepared.application.graph, self._run_id),
                takes if tracing.exporters else lambda _: False,
                self._on_failure,
            )
        except OSError as error:
            raise RuntimeLifecycleReadyError(START, [WORKER], 0.0, str(error)) from error
        self.handoff.open(self._gateway)

    def settle(self, last: float = inf) -> None:
        """Take no more; return when all that were asked are done with, or out of time.

        :param last: when all of them are, by ``time.monotonic``: the run is to end.
        """
        waiters = self.handoff.waiters
        self.handoff.refuse()
        while self.handoff.unsettled:
            due = waiters.next_due()
            until = last if due is None else min(due, last)
            self._await_settled(None if until == inf else max(until - waiters.now(), 0.0))
            if waiters.now() < last:
                waiters.expire()
                continue
            self.handoff.give_up()
            if self._gateway is not None:
                self._gateway.give_up()
            return

    def drain(self) -> None:
        """The input has ended: settle, and return when no request is in a node any more."""
        self.settle()
        if self._gateway is not None:
            self._gateway.drain()

    def _await_settled(self, timeout: float | None) -> None:
        with self._settled:
            self._settled.wait_for(lambda: not self.handoff.unsettled, timeout)

    def _told_settled(self) -> None:
        with self._settled:
            self._settled.notify_all()

    def close(self, failure: BaseException | None = None) -> None:
        """Let whatever is in flight fail. More than once: nothing.

        :param failure: what the run has failed of, if it has.
        """
        if isinstance(failure, KernelError):
            self.handoff.failure = failure
        self.handoff.close()
        self._faults.tell_rest()
