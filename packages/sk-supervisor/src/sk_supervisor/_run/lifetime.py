"""A run under its supervisor: started, processed, shut down; and the resulting exit code."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from sk_kernel import BootstrapSupervisor, KernelError, LifecycleError, RunReport
from sk_observability import EventName

from sk_supervisor._health.answering import answering
from sk_supervisor._lives.gate import GatePolicy, gate_policy
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._run.reader import reader_has_gone
from sk_supervisor._run.summary import (
    by_force,
    failure,
    summary,
    unread,
    with_cause,
)
from sk_supervisor._system.signals import ForcedStop, ReceivedSignals
from sk_supervisor._telemetry.measuring import measuring
from sk_supervisor._telemetry.rails import Rails
from sk_supervisor._telemetry.system_nodes import SystemNodes
from sk_supervisor.errors import (
    EXIT_DONE,
    EXIT_READER_GONE,
    EXIT_SIGNAL_BASE,
    EXIT_STOP_TIMEOUT,
    EXIT_WORKER,
    RuntimeLifecycleReadyError,
    StartInterruptedError,
    StopForcedError,
)

#: The steps that a supervisor does by itself if the gate does not wait for all groups.
_OPENED_ONE_BY_ONE = (EventName.SUPERVISOR_WAIT_READY, EventName.SUPERVISOR_START_WORKLOAD)
#: The steps of the stop ladder that end a worker by force.
_BY_FORCE = ("terminate", "kill")


def supervised(
    supervisor: BootstrapSupervisor,
    prepared: Prepared,
    rails: Rails,
    signals: ReceivedSignals,
) -> tuple[int, str, str]:
    """Run from the start to the shutdown; return the exit code, a summary, and an error message.

    An error that ends the run is returned, not raised. Metrics are sent, and probes and scrapes are
    answered, from before the start until after the shutdown.

    :param signals: those received so far; it changes during the run.
    """
    system, rung = rails.system, ""
    try:
        with (
            measuring(prepared, supervisor, rails) as take,
            answering(prepared, supervisor, rails.log, take),
        ):
            try:
                report = _worked(supervisor, prepared, system)
            except BaseException as primary:
                rung = _shut_down_after(primary, supervisor, system)
                raise
            rung = _shut_down(supervisor, system)
    except (ForcedStop, KernelError) as error:
        return _cut_short(error, rung, supervisor, prepared, signals)
    status = supervisor.snapshot()
    said = summary(report, sum(group.restarts for group in status.groups))
    if rung in _BY_FORCE and status.stop_forced:
        return EXIT_STOP_TIMEOUT, said, f"error: {by_force(report, supervisor, rung)}"
    if rung in _BY_FORCE:  # what happens after the work fails no run
        said += f"\nwarning: {by_force(report, supervisor, rung)}"
    code = _stopped_code(signals.numbers) if report.outcome == "stopped" else EXIT_DONE
    return code, said, ""


def _cut_short(
    error: ForcedStop | KernelError,
    rung: str,
    supervisor: BootstrapSupervisor,
    prepared: Prepared,
    signals: ReceivedSignals,
) -> tuple[int, str, str]:
    """Return the result of :func:`supervised` for a run that was ended by an error."""
    if isinstance(error, StartInterruptedError):
        # The request that interrupted the start was not forced; a later one, while the workers were
        # stopping, may have been.
        if rung in _BY_FORCE and supervisor.snapshot().stop_forced:
            forced = f"{error}, and then at once, by force"
            return EXIT_STOP_TIMEOUT, "", failure(forced, supervisor, prepared)
        return _stopped_code(signals.numbers), str(error), ""
    if isinstance(error, ForcedStop):
        return EXIT_STOP_TIMEOUT, "", failure(str(StopForcedError(())), supervisor, prepared)
    if reader_has_gone(error):
        return EXIT_READER_GONE, unread(supervisor), ""
    code = error.exit_code if isinstance(error, LifecycleError) else EXIT_WORKER
    trace_id = getattr(error, "trace_id", None) or ""
    return code, "", failure(with_cause(error), supervisor, prepared, trace_id)


def _worked(supervisor: BootstrapSupervisor, prepared: Prepared, system: SystemNodes) -> RunReport:
    """Start the groups in configuration order, wait for them, and run.

    :raises KernelError: the error that ended the run.
    """
    platform = prepared.config.runtime.platform
    with system.step(EventName.SUPERVISOR_START_GROUPS):
        supervisor.start_groups([g.name for g in prepared.groups])
    if gate_policy(platform.readiness) is GatePolicy.ALL_READY:
        patience = float(platform.readiness_timeout_seconds)
        with system.step(EventName.SUPERVISOR_WAIT_READY):
            if not supervisor.wait_ready(patience):
                late = [w.worker_id for w in supervisor.snapshot().workers() if not w.ready]
                raise RuntimeLifecycleReadyError("timeout", late, patience)
        with system.step(EventName.SUPERVISOR_START_WORKLOAD):
            return supervisor.run()
    with system.steps(_OPENED_ONE_BY_ONE, supervisor.lifecycle_events):
        return supervisor.run()


def _shut_down(supervisor: BootstrapSupervisor, system: SystemNodes) -> str:
    try:
        with system.step(EventName.SUPERVISOR_GRACEFUL_STOP):
            return supervisor.shutdown()
    finally:
        system.ended_by_force(supervisor.lifecycle_events())


def _shut_down_after(
    primary: BaseException, supervisor: BootstrapSupervisor, system: SystemNodes
) -> str:
    """Shut down after a failure, which an error of the shutdown must not mask."""
    try:
        return _shut_down(supervisor, system)
    except Exception as second:  # noqa: BLE001 - any error is added to the first one
        supervisor.emit_handoff_failure(str(getattr(primary, "group", "")), "shutdown")
        problem = str(second) if isinstance(second, KernelError) else repr(second)
        primary.add_note(f"and then: {problem}")
        return ""


def _stopped_code(signals: Sequence[signal.Signals]) -> int:
    """Return 128 and the signal's number; a run that was stopped by a call has the code of SIGTERM.

    It is never 0, because a stopped run has not committed anything.
    """
    return EXIT_SIGNAL_BASE + (signals[0] if signals else signal.SIGTERM)
