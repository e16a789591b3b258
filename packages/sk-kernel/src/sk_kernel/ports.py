"""What the kernel's neighbours implement or exchange: reports, events, supervisors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from sk_kernel.status import RunStatus

Outcome = Literal["completed", "stopped"]


class Progress(msgspec.Struct, frozen=True):
    """How far a group has come: records and batches taken in, records passed on, and its state."""

    group: str
    records_in: int = 0
    records_out: int = 0
    batches: int = 0
    state: str = "starting"


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished run did.

    ``outcome`` is ``completed`` when the source had no more and the sink committed, ``stopped``
    when the source was interrupted, what was in flight drained, and the sink aborted; then
    ``partial_outputs`` names what it left. ``counters`` are the sink's own.
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


class LifecycleEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the life of a supervisor or worker.

    ``sequence`` counts from 1 within a run, ``time_ns`` is nanoseconds since the epoch,
    ``correlation_id`` is the run's id. ``name`` is one of the documented events
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


class BootstrapSupervisor(Protocol):
    """Owns the workers of a run, from their start to their end, whatever they are made of."""

    def start_groups(self, group_names: Sequence[str]) -> None:
        """Start the workers of these groups, in this order."""

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Whether all started workers said ready within the time; for 0 or less: False."""

    def run(self) -> RunReport:
        """Open the gate, let the source be read, return when every group has drained."""

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """Stop gracefully, source first; TimeoutError when the time is over."""

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """Terminate, then kill, the workers of these groups."""

    def shutdown(self) -> str:
        """Stop whatever is left within the configured time; returns the rung that it took."""

    def snapshot(self) -> RunStatus:
        """The run as it is now, worker by worker. Safe in any thread."""

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """The events so far that the bounded ring still holds, in order."""

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """The events after a sequence number that the ring still holds."""
