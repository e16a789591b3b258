"""A run from its configuration to its exit code: the lifecycle around the work."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, TextIO, cast

from sk_kernel import (
    MEMORY,
    BootstrapSupervisor,
    Fault,
    KernelError,
    LifecycleError,
    RunReport,
    RunSetup,
    RunStatus,
    built_for_good,
)
from sk_observability import EventName, ExporterSetupError, LifecycleLog

from sk_supervisor._account import by_force, failure, refusal, summary, with_cause
from sk_supervisor._administered import open_admin
from sk_supervisor._display import Display, display_for
from sk_supervisor._exposing import exposing
from sk_supervisor._forgiving import Forgiving
from sk_supervisor._gate import GatePolicy, gate_policy
from sk_supervisor._hearing import hearing
from sk_supervisor._preflight import Prepared, prepare
from sk_supervisor._rails import ENDING_SECONDS, FORCED_SECONDS, Account, Rails, lay_rails
from sk_supervisor._redaction import redactor_of
from sk_supervisor._signals import BreakIn, ForcedStop, Heard, signals_to
from sk_supervisor._supervisors import supervisor_of
from sk_supervisor._system_nodes import SystemNodes
from sk_supervisor.errors import (
    EXIT_CONFIGURATION,
    EXIT_DONE,
    EXIT_SIGNAL_BASE,
    EXIT_STOP_TIMEOUT,
    EXIT_WORKER,
    RunRefusedError,
    RuntimeLifecycleReadyError,
    StartInterruptedError,
)

if TYPE_CHECKING:
    from sk_config import Config

_RUN_ID_LENGTH = 256
#: The rungs of the stop ladder that are no answer to being asked.
_BY_FORCE = ("terminate", "kill")


def new_run_id() -> str:
    """A run id that sorts by time: UTC to the second, and four random bytes."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"


def run(
    config: Config, *, run_id: str | None = None, quiet: bool = False, stderr: TextIO | None = None
) -> int:
    """Run a configuration in the profile that it names; returns the documented exit code.

    Progress, a summary and errors go to ``stderr`` (default: this process's). SIGINT, SIGTERM and
    SIGHUP drain the run; a second one ends it by force. Raises nothing of a run's own.
    """
    if isinstance(config, str | PathLike):
        raise TypeError(f"a path is no configuration: write run(load_config({str(config)!r}))")
    return run_with(lambda _: None, config, run_id=run_id, quiet=quiet, stderr=stderr)


def run_with(
    on_made: Callable[[BootstrapSupervisor], object],
    config: Config,
    *,
    run_id: str | None,
    quiet: bool,
    stderr: TextIO | None,
) -> int:
    """The same; ``on_made`` gets the supervisor before anything is started."""
    stream = cast("TextIO", Forgiving(stderr or sys.stderr))
    known: list[int] = []
    try:
        with built_for_good() as complete:
            return _run(
                lambda supervisor: (complete(), on_made(supervisor)),
                config,
                run_id,
                stream,
                known,
                quiet=quiet,
            )
    except KeyboardInterrupt:
        # Where signals are not handled: before its start nothing has been done, and behind its end
        # it is known what has.
        return known[0] if known else EXIT_SIGNAL_BASE + signal.SIGINT


def _run(
    on_made: Callable[[BootstrapSupervisor], object],
    config: Config,
    run_id: str | None,
    stream: TextIO,
    known: list[int],
    *,
    quiet: bool,
) -> int:
    """The same; the exit code is ``known`` from the end of the work on."""
    try:
        prepared = prepare(config)
        run_id = new_run_id() if run_id is None else checked_run_id(run_id)
        rails = lay_rails(prepared, run_id)
    except (RunRefusedError, ExporterSetupError) as error:
        print(refusal(error, config), file=stream)
        return EXIT_CONFIGURATION
    display = display_for(stream, [g.name for g in prepared.groups] or [MEMORY], quiet=quiet)
    log, supervisor, admin = rails.log, None, None
    code, message, came, break_in = None, "", Heard(), BreakIn()
    ears = ExitStack()  # open until all is told
    try:
        supervisor = make_supervisor(prepared, run_id, log, display)
        on_made(supervisor)
        warn = (lambda _: None) if quiet else partial(display.line, "sk")
        admin = open_admin(config, run_id, supervisor, log, break_in=break_in, warn=warn)
        looks = exposing(prepared, supervisor, rails)
        force = supervisor.works_in_caller
        came = ears.enter_context(
            signals_to(supervisor.request_stop, force=force, break_in=break_in)
        )
        code, message = _supervised(supervisor, prepared, rails.system, came, looks)
        known.append(code)
    except LifecycleError as error:
        code, message = error.exit_code, f"error: {redactor_of(config)(str(error))}"
        known.append(code)
    finally:
        came.breaks_in = False
        break_in.disarm()
        with ears:
            display.close()
            status = supervisor.snapshot() if supervisor else None
            told = _told(rails, status, came, let_go=ears.close)
            if admin is not None:
                admin.close(code)
    said = [line for line in (message, *told.lines) if line]
    for line in told.errors if quiet and code == EXIT_DONE else [*said, *told.errors]:
        print(line, file=stream)
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
) -> BootstrapSupervisor:
    """The supervisor that the configuration's mode stands for.

    :raises LifecycleError: when there is none, or it cannot be made.
    """
    events = prepared.config.runtime.observability.logging.lifecycle_events
    setup = RunSetup(
        run_id=run_id,
        config=prepared.config,
        groups=tuple(g.name for g in prepared.groups),
        application=prepared.application,
        plan=prepared.plan,
        limits=prepared.limits,
        log=log,
        on_progress=display.progress,
        on_line=hearing(display.line, log, as_events=events.worker_output),
    )
    return supervisor_of(prepared.mode, setup)


def _supervised(
    supervisor: BootstrapSupervisor,
    prepared: Prepared,
    system: SystemNodes,
    came: Heard,
    looks: AbstractContextManager[None],
) -> tuple[int, str]:
    rung = ""
    try:
        with looks:
            try:
                report = lifecycle(supervisor, prepared, system)
            except BaseException as primary:
                rung = _shut_down_behind(primary, supervisor, system)
                raise
            rung = _shut_down(supervisor, system)
    except StartInterruptedError as error:
        # The request that interrupted the start was the first one; this is whether, while the
        # workers were stopping, a second one left them no time.
        if rung in _BY_FORCE and len(supervisor.snapshot().stop_reasons) > 1:
            forced = f"{error}, and at once by a second request"
            return EXIT_STOP_TIMEOUT, failure(forced, supervisor, prepared)
        return _stopped_code(came.numbers), str(error)
    except ForcedStop:
        forced = "stopped at once by a second request"
        return EXIT_STOP_TIMEOUT, failure(forced, supervisor, prepared)
    except LifecycleError as error:
        return error.exit_code, failure(str(error), supervisor, prepared)
    except KernelError as error:
        return EXIT_WORKER, failure(with_cause(error), supervisor, prepared)
    if rung in _BY_FORCE:
        return EXIT_STOP_TIMEOUT, f"{summary(report)}\nerror: {by_force(report, supervisor, rung)}"
    code = _stopped_code(came.numbers) if report.outcome == "stopped" else EXIT_DONE
    return code, summary(report)


def _told(
    rails: Rails, status: RunStatus | None, came: Heard, let_go: Callable[[], None]
) -> Account:
    """What has become of all that was told. A second signal cuts that short, and changes no more.

    It is known by now what has come of the run. Behind that second one an exporter that hangs is
    cut short by the system: ``let_go`` leaves signals to what they do to any process.
    """
    accounts, forced = (status.spans, len(status.stop_reasons) > 1) if status else ((), False)
    try:
        came.breaks_in = True
        told = rails.close(accounts, FORCED_SECONDS if forced else ENDING_SECONDS)
        came.breaks_in = False
    except ForcedStop:
        let_go()
        told = rails.close(accounts, 0.0)
    return told


def _shut_down(supervisor: BootstrapSupervisor, system: SystemNodes) -> str:
    try:
        with system.step(EventName.SUPERVISOR_GRACEFUL_STOP):
            return supervisor.shutdown()
    finally:
        system.ended_by_force(supervisor.lifecycle_events())


def _shut_down_behind(
    primary: BaseException, supervisor: BootstrapSupervisor, system: SystemNodes
) -> str:
    """The same, behind a failure, which is not to be masked by what goes wrong now."""
    try:
        return _shut_down(supervisor, system)
    except KernelError as second:
        supervisor.emit_handoff_failure(str(getattr(primary, "group", "")), "shutdown")
        primary.add_note(f"and then: {second}")
        return ""


def _stopped_code(came: Sequence[signal.Signals]) -> int:
    """128 and the signal's number; who stops a run by a call stops it as SIGTERM does.

    It is never 0: what was stopped has committed nothing.
    """
    return EXIT_SIGNAL_BASE + (came[0] if came else signal.SIGTERM)


def lifecycle(
    supervisor: BootstrapSupervisor, prepared: Prepared, system: SystemNodes
) -> RunReport:
    """Start the groups in configuration order, wait for them, and run.

    :raises KernelError: what ended the run before its time.
    """
    readiness = prepared.config.runtime.platform.readiness
    policy = gate_policy(
        enabled=readiness.enabled, all_groups=readiness.start_work_on_all_groups_ready
    )
    with system.step(EventName.SUPERVISOR_START_GROUPS):
        supervisor.start_groups([g.name for g in prepared.groups])
    if policy is GatePolicy.ALL_READY:
        patience = float(prepared.config.runtime.platform.readiness_timeout_seconds)
        with system.step(EventName.SUPERVISOR_WAIT_READY):
            if not supervisor.wait_ready(patience):
                late = [w.worker_id for w in supervisor.snapshot().workers() if not w.ready]
                raise RuntimeLifecycleReadyError("timeout", late, patience)
    with system.step(EventName.SUPERVISOR_START_WORKLOAD):
        return supervisor.run()
