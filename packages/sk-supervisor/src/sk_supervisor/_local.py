"""The supervisor of the memory profile: no process but this one, the same lifecycle."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sk_kernel import MEMORY, LifecycleEvent, MemoryRun, Progress, RunReport
from sk_observability import EventName, LifecycleLog, SpanFanOut, build_span_exporters

from sk_supervisor._ladder import Rung
from sk_supervisor._preflight import Prepared, span_choices
from sk_supervisor._stop_thread import StopThread
from sk_supervisor.errors import RuntimeLifecycleResolutionError

_WORKER = "memory-0.1"


class LocalBootstrapSupervisor:
    """A :class:`sk_kernel.BootstrapSupervisor` whose one group is this process."""

    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        log: LifecycleLog,
        *,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._prepared, self._run_id, self._log = prepared, run_id, log
        self._on_progress = on_progress
        self._run: MemoryRun | None = None
        self._state = "stopped"
        self._stop = StopThread(self._interrupt)

    def start_groups(self, group_names: Sequence[str]) -> None:
        """Make the nodes and adapters.

        :raises ResolutionError, AdapterFailedError: when one cannot be made.
        """
        self._log.emit(EventName.SUPERVISOR_START_GROUPS, fields={"groups": " ".join(group_names)})
        tracing = self._prepared.config.runtime.observability.tracing
        exporters = build_span_exporters(span_choices(self._prepared.config), worker=_WORKER)
        self._run = MemoryRun(
            self._prepared.application,
            self._run_id,
            limits=self._prepared.limits,
            observers=[SpanFanOut(exporters)] if exporters else (),
            sampling_ratio=tracing.sampling_ratio,
            on_progress=self._on_progress,
        )
        self._moved("ready", EventName.WORKER_READY)

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Ready as soon as started."""
        self._log.emit(EventName.SUPERVISOR_WAIT_READY, fields={"timeout_seconds": timeout_seconds})
        return timeout_seconds > 0 and self._run is not None

    def run(self) -> RunReport:
        """See the protocol.

        :raises RuntimeLifecycleResolutionError: when it was not started.
        :raises RunError: when a node or adapter failed.
        """
        if self._run is None:
            raise RuntimeLifecycleResolutionError("run", "the group has not been started")
        self._log.emit(EventName.SUPERVISOR_START_WORKLOAD)
        self._moved("running", EventName.WORKER_RUNNING)
        return self._run.run()

    def request_stop(self, reason: str) -> None:
        """End the input and drain. Safe in any thread and in a signal handler."""
        self._stop.request(reason)

    @property
    def stop_reasons(self) -> tuple[str, ...]:
        """The requests to stop so far, in order."""
        return self._stop.reasons

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's unfinished output is."""
        return self._run.partial_outputs() if self._run else ()

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """Nothing runs beside :meth:`run`, which drains before it returns."""
        self.shutdown()

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """There is no process to terminate but the caller's own."""
        self.shutdown()

    def shutdown(self) -> str:
        """See the protocol."""
        self._stop.close()
        if self._state == "stopped":
            return Rung.NONE.name.lower()
        self._log.emit(EventName.SUPERVISOR_GRACEFUL_STOP)
        self._moved("stopping", EventName.WORKER_STOPPING)
        self._moved("stopped", EventName.WORKER_STOPPED)
        return Rung.STOP.name.lower()

    def snapshot(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """See the protocol; the pid is this process's own."""
        worker = {
            "worker_id": _WORKER,
            "pid": os.getpid(),
            "os_pid": os.getpid(),
            "alive": True,
            "ready": self._state in ("ready", "running"),
            "state": self._state,
        }
        return {MEMORY: [worker]}

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.events()

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.after(after_sequence)

    def _interrupt(self) -> None:
        if self._run is not None:
            self._run.stop()

    def _moved(self, state: str, name: EventName) -> None:
        self._state = state
        self._log.emit(name, group=MEMORY, worker=_WORKER)
