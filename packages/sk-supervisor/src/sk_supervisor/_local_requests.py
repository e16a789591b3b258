"""Requests beside a run of the memory profile, from when it can take them to when it has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sk_kernel import Entrances, MemoryRun, TerminalEvent, TraceIds

from sk_supervisor._failures import START
from sk_supervisor._handoff import Handoff
from sk_supervisor._local_desk import LocalDesk
from sk_supervisor._local_status import WORKER
from sk_supervisor._preflight import Prepared
from sk_supervisor.errors import RuntimeLifecycleReadyError


class LocalRequests:
    """What a run of the memory profile does about requests, as it comes along.

    :param on_failure: called in any thread with the group and the category of one that has failed.
    """

    def __init__(
        self, prepared: Prepared, run_id: str, on_failure: Callable[[str, str], None]
    ) -> None:
        self._prepared, self._run_id, self._on_failure = prepared, run_id, on_failure
        self._settled = threading.Event()
        self._desk: LocalDesk | None = None
        platform = prepared.config.runtime.platform
        self.handoff = Handoff(prepared.plan, platform, self._settled.set)

    def open(self, run: MemoryRun) -> None:
        """The run is about to read: take requests. They are traced where the run is.

        :raises RuntimeLifecycleReadyError: when the system has no thread to give.
        """
        tracing = self._prepared.config.runtime.observability.tracing
        takes = TraceIds(self._run_id, tracing.sampling_ratio).takes
        try:
            self._desk = LocalDesk(
                run,
                self.handoff.waiters,
                Entrances(self._prepared.application.graph, self._run_id),
                takes if tracing.exporters else lambda _: False,
                self._failed,
            )
        except OSError as error:
            raise RuntimeLifecycleReadyError(START, [WORKER], 0.0, str(error)) from error
        self.handoff.open(self._desk)

    def settle(self) -> None:
        """Take no more; return when all that were asked are answered, or out of time."""
        waiters = self.handoff.waiters
        while not self.handoff.settled():
            due = waiters.next_due()
            self._settled.wait(None if due is None else max(due - waiters.now(), 0.0))
            waiters.expire()

    def drain(self) -> None:
        """The input has ended: settle, and return when no request is in a node any more."""
        self.settle()
        if self._desk is not None:
            self._desk.drain()

    def close(self) -> None:
        """Let whatever is in flight fail. More than once: nothing."""
        self.handoff.close()

    def _failed(self, outcome: TerminalEvent) -> None:
        self._on_failure(outcome.group, outcome.category)
