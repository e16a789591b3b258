"""The interfaces of supervisors, and the reports and events that they exchange."""

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
    """The progress of a group: counts since its start, and its state.

    - ``records_in`` and ``batches`` were received, ``records_out`` were passed on.
    - ``dead_lettered`` and ``skipped`` count the records that its nodes gave up.
    - ``requests`` counts the requests whose records it has run.
    - ``source_records``: the group has done its part of the first so many records of the source.
      Records that went elsewhere, or were given up before they reached it, are included.
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
    """The result of a finished run.

    ``outcome`` is one of:

    - ``completed``: the source had no more records, or an unbounded source was drained after a
      stop; the sink committed.
    - ``stopped``: the source was interrupted, records in flight were drained, and the sink aborted;
      ``partial_outputs`` names the output that it left.

    ``counters`` are the sink's own. ``dead_lettered`` and ``skipped`` count the records that nodes
    gave up. The accounts of spans are in the status instead: they are known only after every
    process has ended.
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
    """One event in the life of a supervisor or a worker.

    - ``sequence`` counts from 1 within a run; ``time_ns`` is in nanoseconds since the epoch.
    - ``name`` is one of the documented events (``worker_spawned``, ...); ``fields`` has its further
      data, without secrets and payloads.
    - ``correlation_id`` is the run's id.
    - ``trace_id`` is the trace of the record at fault, if there is one, otherwise the trace of the
      supervisor's own steps; None if the run traces nothing.
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
    """Owns the workers of a run from their start to their end: processes, threads or others.

    A call that the lifecycle does not allow, or that names an unknown group, raises
    :class:`sk_kernel.LifecycleCallError` and changes nothing. A failed start, run or stop raises
    another :class:`sk_kernel.KernelError`. :meth:`request_stop`, :meth:`snapshot`,
    :meth:`lifecycle_events`, :meth:`subscribe` and the methods that say so are safe in any thread;
    call all others from one thread. ``sk_kernel.testing.check_supervisor`` checks an implementation
    against this interface.
    """

    @property
    def works_in_caller(self) -> bool:
        """Whether :meth:`run` does the work itself, in the caller's thread.

        If so, a forced stop must interrupt that thread, because nothing else could end the work.
        The caller of :meth:`run` does that after :meth:`request_stop`.
        """

    def start_groups(self, group_names: Sequence[str]) -> None:
        """Start the workers of these groups, in this order."""

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Return whether all started workers are ready within the time; False for 0 or less."""

    def run(self) -> RunReport:
        """Let the source be read, and return when every group has drained."""

    def request_stop(self, reason: str, *, force: bool = False) -> None:
        """End the input: the records that were read are processed, and :meth:`run` returns.

        It never blocks and is safe in a signal handler. A second call changes nothing. A request
        that comes before the work begins is not lost.

        :param force: end the run at once instead, whether or not a stop was requested before: the
            records that were read are not processed, no worker is waited for, and :meth:`run`
            raises. A supervisor that works in the caller's thread drains all the same, unless its
            work is interrupted.
        """

    def wait_started(self, timeout_seconds: float) -> bool:
        """Return whether :meth:`run` has begun the work within the time. Any thread.

        If the run has been shut down and never will begin, it returns False at once.
        """

    def request(
        self, envelope: Envelope[Any], *, timeout_seconds: float | None = None
    ) -> ReplyWaiter:
        """Send a request to the nodes that take it, without waiting. Any thread.

        ``await`` the returned waiter, or call its ``wait()``. The outcome is a
        :class:`sk_kernel.TerminalEvent` with the caller's own trace id. Its payload is the first
        that reaches the sink of the graph, or None if none does. After ``timeout_seconds``, by
        default the timeout of the configuration, the outcome is a timeout.

        :raises RequestRefusedError: when too many requests are in flight, the trace id is in use,
            the run takes no requests (yet, or any more), or the envelope's metadata is not all
            text; in the multiprocess profile also when MessagePack cannot carry the payload.
        :raises UnknownRouteError: when no node takes the payload.
        :raises RecordTooLargeError: in the multiprocess profile, when the payload is larger than
            the limit of a frame.
        """

    def execute_boundary(
        self, inputs: Sequence[BoundaryDispatchInput], *, timeout_seconds: float | None = None
    ) -> RoutingResult:
        """Run each input from its target on, in the group that owns the target, and wait for all.

        The terminal outputs are the replies, in the order of the inputs, with their trace ids.

        :raises LifecycleError: for the first input that failed; it is also a ``TimeoutError``, a
            ``ConnectionError`` (the group was lost) or a ``RuntimeError`` (a node failed).
        :raises UnknownRouteError: when there is no such group, or it does not run the target.
        :raises RequestRefusedError: as :meth:`request`.
        """

    def emit_handoff_failure(self, group_name: str, category: str) -> None:
        """Emit the lifecycle event of a request that failed in a group. Any thread."""

    def route_cache_snapshot(self) -> RouteCacheSnapshot:
        """Return the state of the routing cache. Any thread."""

    def partial_outputs(self) -> Sequence[str]:
        """Return the places of unfinished output; empty if there is none, or it was committed."""

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """Stop gracefully, source first; raise a ``TimeoutError`` when the time is over."""

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """Terminate the workers of these groups, and kill those that do not end."""

    def shutdown(self) -> str:
        """Stop all that still runs, within the configured time. Legal in every state.

        A second call does nothing. Returns the last step of the stop ladder that any worker needed:
        ``none``, ``stop``, ``terminate`` or ``kill``.
        """

    def snapshot(self) -> RunStatus:
        """Return the present state of the run, with every worker. Safe in any thread."""

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """Return the events so far that the bounded buffer still holds, in order."""

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """Return the events after a sequence number that the buffer still holds."""


class EventRail(Protocol):
    """Takes a supervisor's lifecycle events: it numbers, dates, masks, keeps and exports them."""

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
        """Record an event; return None if its level is disabled. Any thread; raises nothing."""

    def events(self) -> Sequence[LifecycleEvent]:
        """Return the events that are still held, in order."""

    def after(self, sequence: int) -> Sequence[LifecycleEvent]:
        """Return the events after a sequence number."""


class OnLine(Protocol):
    """Receives the output of workers. It is called from any thread and must not block."""

    def __call__(self, worker: str, stream: str, text: str, level: int | None = None, /) -> object:
        """Receive a line that ``worker`` wrote to ``stream`` (``stdout`` or ``stderr``).

        With a ``level`` of :mod:`logging`, ``text`` is one log record or traceback, which may have
        several lines.
        """


@dataclass(frozen=True, kw_only=True)
class RunSetup:
    """Everything that a supervisor is created from: a checked application with its plan.

    :param config: the whole configuration, an ``sk_config.Config``.
    :param groups: the process groups that have a vertex, in the order of the configuration. It is
        empty if the configuration names none: then everything is one group.
    :param application: the application as discovered in this process; a worker needs its ``spec``
        to discover the same.
    :param log: receives the supervisor's lifecycle events.
    :param on_progress: to be called with the progress of a group, from any thread; never blocks.
    :param on_line: to be called with the output of workers.
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
    """Creates the supervisor of a run: the object that an entry point of :data:`SUPERVISORS` names.

    The entry point's name is a value of ``runtime.platform.bootstrap.mode``.
    """

    def __call__(self, setup: RunSetup, /) -> BootstrapSupervisor:
        """Create the supervisor without starting anything.

        :raises LifecycleError: when this run cannot be supervised.
        """


SUPERVISORS = "stream_kernel.supervisors"
"""The group of entry points by which a package provides a supervisor."""
