"""A run from its configuration to its exit code: the lifecycle around the work."""

from __future__ import annotations

import secrets
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO, cast

from sk_kernel import MEMORY, Fault, KernelError, RunReport
from sk_observability import ExporterSetupError, LifecycleLog, build_log_exporters

from sk_supervisor._display import Display, display_for
from sk_supervisor._forgiving import Forgiving
from sk_supervisor._gate import GatePolicy, gate_policy
from sk_supervisor._local import LocalBootstrapSupervisor
from sk_supervisor._multiprocess import MultiprocessBootstrapSupervisor
from sk_supervisor._preflight import Prepared, log_choices, prepare
from sk_supervisor._signals import ForcedStop, signals_to
from sk_supervisor.errors import (
    EXIT_CONFIGURATION,
    EXIT_DONE,
    EXIT_SIGNAL_BASE,
    EXIT_STOP_TIMEOUT,
    EXIT_WORKER,
    RunRefusedError,
    RuntimeLifecycleReadyError,
    StartInterruptedError,
    SupervisorError,
    refusal,
)

if TYPE_CHECKING:
    from sk_config import Config

_RUN_ID_LENGTH = 256

Supervisor = LocalBootstrapSupervisor | MultiprocessBootstrapSupervisor


def new_run_id() -> str:
    """A run id that sorts by time: UTC to the second, and four random bytes."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"


def run(
    config: Config, *, run_id: str | None = None, quiet: bool = False, stderr: TextIO | None = None
) -> int:
    """Run a configuration in the profile that it names; returns the documented exit code.

    Progress, a summary and errors go to ``stderr`` (default: this process's). SIGINT and SIGTERM
    drain the run; a second one ends it by force. Raises nothing of a run's own.
    """
    stream = cast("TextIO", Forgiving(stderr or sys.stderr))
    try:
        prepared = prepare(config)
        run_id = new_run_id() if run_id is None else checked_run_id(run_id)
        log = _log(prepared, run_id)
    except (RunRefusedError, ExporterSetupError) as error:
        print(refusal(error), file=stream)
        return EXIT_CONFIGURATION
    except KeyboardInterrupt:
        return EXIT_SIGNAL_BASE + signal.SIGINT
    display = display_for(stream, [g.name for g in prepared.groups] or [MEMORY], quiet=quiet)
    supervisor = make_supervisor(prepared, run_id, log, display)
    try:
        code, message = _supervised(supervisor, prepared)
    finally:
        display.close()
        log.close()
    if message and not (quiet and code == EXIT_DONE):
        print(message, file=stream)
    return code


def checked_run_id(run_id: str) -> str:
    """``run_id``, which must be a name that every message can carry.

    :raises RunRefusedError: when it is not.
    """
    if 0 < len(run_id) <= _RUN_ID_LENGTH and run_id.isprintable():
        return run_id
    expected = f"1 to {_RUN_ID_LENGTH} printable characters"
    raise RunRefusedError([Fault("run_id", "bad_value", expected)])


def make_supervisor(
    prepared: Prepared, run_id: str, log: LifecycleLog, display: Display
) -> Supervisor:
    """The supervisor of the configuration's profile."""
    if prepared.multiprocess:
        return MultiprocessBootstrapSupervisor(
            prepared, run_id, log, on_progress=display.progress, on_line=display.line
        )
    return LocalBootstrapSupervisor(prepared, run_id, log, on_progress=display.progress)


def _log(prepared: Prepared, run_id: str) -> LifecycleLog:
    events = prepared.config.runtime.observability.logging.lifecycle_events
    exporters = build_log_exporters(log_choices(prepared.config))
    return LifecycleLog(run_id, exporters, enabled=events.enabled, level=events.level)


def _supervised(supervisor: Supervisor, prepared: Prepared) -> tuple[int, str]:
    local = isinstance(supervisor, LocalBootstrapSupervisor)
    with signals_to(supervisor.request_stop, force=local) as came:
        try:
            try:
                report = lifecycle(supervisor, prepared)
            finally:
                rung = supervisor.shutdown()
        except StartInterruptedError as error:
            return _stopped_code(came), str(error)
        except ForcedStop:
            return EXIT_STOP_TIMEOUT, _failed("stopped at once by a second signal", supervisor)
        except SupervisorError as error:
            return error.exit_code, _failed(str(error), supervisor)
        except KernelError as error:
            return EXIT_WORKER, _failed(_with_cause(error), supervisor)
    if rung in ("terminate", "kill"):
        problem = f"the work is done, but workers had to be ended by force ({rung})"
        return EXIT_STOP_TIMEOUT, f"{summary(report)}\nerror: {problem}"
    code = _stopped_code(came) if report.outcome == "stopped" else EXIT_DONE
    return code, summary(report)


def _stopped_code(came: Sequence[signal.Signals]) -> int:
    """128 and the signal's number; a stop that was asked for by a call is no failure."""
    return EXIT_SIGNAL_BASE + came[0] if came else EXIT_DONE


def lifecycle(supervisor: Supervisor, prepared: Prepared) -> RunReport:
    """Start the groups in configuration order, wait for them, and run.

    :raises SupervisorError, KernelError: what ended the run before its time.
    """
    readiness = prepared.config.runtime.platform.readiness
    policy = gate_policy(
        enabled=readiness.enabled, all_groups=readiness.start_work_on_all_groups_ready
    )
    supervisor.start_groups([g.name for g in prepared.groups])
    if policy is GatePolicy.ALL_READY:
        patience = float(prepared.config.runtime.platform.readiness_timeout_seconds)
        if not supervisor.wait_ready(patience):
            late = [
                worker.worker_id for worker in supervisor.snapshot().workers() if not worker.ready
            ]
            raise RuntimeLifecycleReadyError("timeout", late, patience)
    return supervisor.run()


def summary(report: RunReport) -> str:
    """What a finished run did, in a few lines."""
    rate = report.records_in / report.seconds if report.seconds > 0 else 0.0
    lines = [
        f"{report.outcome}: {report.scenario} ({report.profile}), run {report.run_id}",
        f"  records in {report.records_in:,}, out {report.records_out:,},"
        f" {report.seconds:.2f} s, {rate:,.0f}/s",
    ]
    if report.counters:
        counted = ", ".join(f"{name} {count:,}" for name, count in sorted(report.counters.items()))
        lines.append(f"  {counted}")
    lines += [f"  partial output: {path}" for path in report.partial_outputs]
    return "\n".join(lines)


def _failed(problem: str, supervisor: Supervisor) -> str:
    lines = [f"error: {problem}"]
    lines += [f"  partial output: {path}" for path in supervisor.partial_outputs()]
    return "\n".join(lines)


def _with_cause(error: KernelError) -> str:
    """The error, and the traceback of what a node or adapter raised, as a worker prints it."""
    if error.__cause__ is None:
        return str(error)
    trace = traceback.format_exception(error.__cause__)
    return f"{error}\n{''.join(trace).rstrip()}"
