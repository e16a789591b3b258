"""What the kernel's neighbours implement or exchange: reports, events, supervisors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from sk_kernel.status import RunStatus

if TYPE_CHECKING:
    from sk_kernel._adapters.source import BatchLimits
    from sk_kernel._application.application import ApplicationContext
    from sk_kernel._graph.plan import ExecutionPlan
    from sk_kernel._record.boundary import BoundaryDispatchInput, RoutingResult
    from sk_kernel._record.envelope import Envelope
    from sk_kernel._replies.route_cache import RouteCacheSnapshot
    from sk_kernel._replies.waiter import ReplyWaiter

Outcome = Literal["completed", "stopped"]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a group has come: counts, since its start, and its state.

    ``records_in`` and ``batches`` were taken in, ``records_out`` passed on; ``dead_lettered`` and
    ``skipped`` are records that its nodes gave up, ``requests`` those whose records it has run.
    It has done its part of the first ``source_records`` records of the source: those that went
    elsewhere, or were given up before they came here, are among them.
    """

    group: str
    records_in: int = 0
    records_out: int = 0
    batches: int = 0
    state: str = "starting"
    dead_lettered: int = 0
    skipped: int = 0
    requests: int = 0
    source_records: int = 0


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished run did.

    ``outcome`` is ``completed`` when the source had no more, or is an unbounded one that a stop has
    drained, and the sink committed, ``stopped`` when the source was interrupted, what was in flight
    drained, and the sink aborted; then ``partial_outputs`` names what it left. ``counters`` are the
    sink's own. ``dead_lettered`` and ``skipped`` count the records that nodes gave up. What has
    become of spans is in the status: it is known only when every process has ended.
    """

    run_id: str
    scenario: str
    profile: str
    outcome: Outcome
    records_in: int
    records_out: int
    batches: int
    seconds: float
    counters: dict[str, int]
    partial_outputs: tuple[str, ...] = ()
    dead_lettered: int = 0
    skipped: int = 0


class LifecycleEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the life of a supervisor or worker.

    ``sequence`` counts from 1 within a run, ``time_ns`` is nanoseconds since the epoch,
    ``correlation_id`` is the run's id, ``trace_id`` the trace that it belongs to: that of the
    record at fault where there is one, else that of the supervisor's own steps; None in a run that
    traces nothing. ``name`` is one of the documented events
    (``worker_spawned``, ...), ``fields`` its further facts, free of secrets and payloads.
    """

    sequence: int
    time_ns: int
    name: str
    level: Literal["info", "debug"] = "info"
    correlation_id: str = ""
    group: str | None = None
    worker: str | None = None
    fields: dict[str, Any] = {}
    trace_id: str | None = None


class BootstrapSupervisor(Protocol):
    """Owns the workers of a run, from their start to their end, whatever they are made of.

    A call that the lifecycle does not allow, or with an unknown group, raises
    :class:`sk_kernel.LifecycleCallError` and changes nothing; what ends a start, a run or a stop
    raises another :class:`sk_kernel.KernelError`. :meth:`request_stop`, :meth:`snapshot`,
    :meth:`lifecycle_events` and :meth:`subscribe` are safe in any thread; the others are for one.
    ``sk_kernel.testing.check_supervisor`` holds an implementation to all of this.
    """

    @property
    def works_in_caller(self) -> bool:
        """Whether :meth:`run` does the work itself, in the caller's thread.

        A forced stop must then break into that thread, since nothing else could end the work:
        whoever runs it does that, behind :meth:`request_stop`.
        """

    def start_groups(self, group_names: Sequence[str]) -> None:
        """Start the workers of these groups, in this order."""

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Whether all started workers said ready within the time; for 0 or less: False."""

    def run(self) -> RunReport:
        """Open the gate, let the source be read, return when every group has drained."""

    def request_stop(self, reason: str, *, force: bool = False) -> None:
        """End the input: what was read is worked off, and :meth:`run` returns. Never blocks.

        Asked again, it changes nothing. One that comes before the work is not lost. Safe in a
        signal handler.

        :param force: end the run at once instead, whether or not a stop was requested before: what
            was read is not worked off, no worker is waited for, and :meth:`run` raises. One that
            works in the caller drains all the same, unless its work is broken into.
        """

    def wait_started(self, timeout_seconds: float) -> bool:
        """Whether :meth:`run` has begun the work within the time. Any thread.

        False at once where it never will: whatever was started has been shut down.
        """

    def request(
        self, envelope: Envelope[Any], *, timeout_seconds: float | None = None
    ) -> ReplyWaiter:
        """Send a request to the nodes that take it; never waits. Any thread, while the run works.

        ``await`` what it gives, or call its ``wait()``: the outcome is a
        :class:`sk_kernel.TerminalEvent` under the caller's own trace id, whose payload is the first
        that the graph had for its sink (None where it had none). Behind the default timeout of the
        configuration, or ``timeout_seconds``, the outcome is a timeout.

        :raises RequestRefusedError: when too many are in flight, its trace id is in use, the run
            takes no requests, or none any more, or what its envelope says is not all text; over
            processes also when MessagePack has no form for its payload.
        :raises UnknownRouteError: when no node takes it.
        :raises RecordTooLargeError: over processes, when it is larger than a frame may be.
        """

    def execute_boundary(
        self, inputs: Sequence[BoundaryDispatchInput], *, timeout_seconds: float | None = None
    ) -> RoutingResult:
        """Run inputs from their targets on, in the groups that own those; wait for all of them.

        The terminal outputs are the replies, in the order of the inputs, under their trace ids.

        :raises LifecycleError: a ``TimeoutError``, a ``ConnectionError`` (the group was lost) or a
            ``RuntimeError`` (a node failed), as the first input that failed.
        :raises UnknownRouteError: when there is no such group, or it does not run the target.
        :raises RequestRefusedError: as :meth:`request`.
        """

    def emit_handoff_failure(self, group_name: str, category: str) -> None:
        """Tell, as a lifecycle event, that a request handed to a group has failed. Any thread."""

    def route_cache_snapshot(self) -> RouteCacheSnapshot:
        """How the routing cache stands. Any thread."""

    def partial_outputs(self) -> Sequence[str]:
        """Where unfinished output is; empty once it is in place, or where there is none."""

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """Stop gracefully, source first; TimeoutError when the time is over."""

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """Terminate, then kill, the workers of these groups."""

    def shutdown(self) -> str:
        """Stop whatever is left within the configured time, in every state; more often: nothing.

        Returns the lowest rung of the stop ladder that any worker needed: ``none``, ``stop``,
        ``terminate`` or ``kill``.
        """

    def snapshot(self) -> RunStatus:
        """The run as it is now, worker by worker. Safe in any thread."""

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """The events so far that the bounded ring still holds, in order."""

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """The events after a sequence number that the ring still holds."""


class EventRail(Protocol):
    """Where a supervisor puts its lifecycle events: numbered, dated, cleaned, kept and exported."""

    def emit(
        self,
        name: str,
        *,
        level: Literal["info", "debug"] = "info",
        group: str | None = None,
        worker: str | None = None,
        fields: Mapping[str, object] | None = None,
        trace_id: str | None = None,
    ) -> LifecycleEvent | None:
        """Record an event; None where its level is not wanted. Any thread; raises nothing."""

    def events(self) -> Sequence[LifecycleEvent]:
        """The events that are still held, in order."""

    def after(self, sequence: int) -> Sequence[LifecycleEvent]:
        """Those after a sequence number."""


class OnLine(Protocol):
    """Takes what workers write. From any thread; never blocks."""

    def __call__(self, worker: str, stream: str, text: str, level: int | None = None, /) -> object:
        """A worker's id, ``stdout`` or ``stderr``, and a line that it wrote there.

        With a ``level`` of :mod:`logging` it is a text that belongs together, of several lines
        perhaps: a record of a log, a traceback.
        """


@dataclass(frozen=True, kw_only=True)
class RunSetup:
    """Everything that a supervisor is made of: a checked application, placed and planned.

    :param config: the whole configuration: an ``sk_config.Config``.
    :param groups: the process groups that hold a vertex, in configuration order; none of them where
        the configuration names none, and all is one group.
    :param application: what is discovered here; its ``spec`` is the data that a worker needs to
        discover the same.
    :param log: takes the supervisor's lifecycle events.
    :param on_progress: to be called when a group has come further. From any thread; never blocks.
    :param on_line: to be called with what workers write.
    """

    run_id: str
    config: Any
    groups: tuple[str, ...]
    application: ApplicationContext
    plan: ExecutionPlan
    limits: BatchLimits
    log: EventRail
    on_progress: Callable[[Progress], None] = lambda _: None
    on_line: OnLine = lambda *_: None


class SupervisorFactory(Protocol):
    """Makes the supervisor of a run: what an entry point of :data:`SUPERVISORS` names.

    The entry point's name is what ``runtime.platform.bootstrap.mode`` says.
    """

    def __call__(self, setup: RunSetup, /) -> BootstrapSupervisor:
        """Make it; start nothing yet.

        :raises LifecycleError: when this run cannot be supervised.
        """


SUPERVISORS = "stream_kernel.supervisors"
"""The group of the entry points by which a package provides a supervisor."""
