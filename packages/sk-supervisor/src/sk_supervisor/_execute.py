"""A run from its configuration to its exit code: what is opened around it, and closed again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING, TextIO, cast

from sk_kernel import (
    BootstrapSupervisor,
    LifecycleError,
    RunSetup,
    RunStatus,
    built_for_good,
)
from sk_observability import ExporterSetupError, LifecycleLog

from sk_supervisor._account import refusal
from sk_supervisor._administered import open_admin
from sk_supervisor._board import board_of
from sk_supervisor._display import Display, display_for
from sk_supervisor._early import TakesEarly, begun_early
from sk_supervisor._exposing import exposing
from sk_supervisor._forgiving import Forgiving, fill_standard_streams
from sk_supervisor._hearing import hearing
from sk_supervisor._lifetime import supervised
from sk_supervisor._preflight import Prepared, prepare
from sk_supervisor._rails import ENDING_SECONDS, FORCED_SECONDS, Account, Rails, lay_rails
from sk_supervisor._redaction import redactor_of
from sk_supervisor._run_id import checked_run_id, new_run_id
from sk_supervisor._signals import BreakIn, ForcedStop, Heard, signals_to
from sk_supervisor._supervisors import supervisor_of
from sk_supervisor.errors import (
    EXIT_CONFIGURATION,
    EXIT_SIGNAL_BASE,
    RunRefusedError,
)

if TYPE_CHECKING:
    from sk_config import AdapterConfig, Config


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
        prepared = prepare(config)  # adapters refuse a closed stream that they need
        if fill_standard_streams() and not quiet:
            print("warning: standard output is closed: what is written there is lost", file=stream)
        run_id = new_run_id() if run_id is None else checked_run_id(run_id)
        rails = lay_rails(prepared, run_id)
    except (RunRefusedError, ExporterSetupError) as error:
        print(refusal(error, config), file=stream)
        return EXIT_CONFIGURATION
    aside = _is_silent(config.adapters.sink)
    display = display_for(stream, board_of(prepared), quiet=quiet, output_elsewhere=aside)
    log, supervisor, admin = rails.log, None, None
    code, message, wrong, came, break_in = None, "", "", Heard(), BreakIn()
    ears = ExitStack()  # open until all is told
    try:
        early = ears.enter_context(begun_early(prepared))
        supervisor = make_supervisor(prepared, run_id, log, display)
        if isinstance(supervisor, TakesEarly):
            supervisor.take_early(early)
        on_made(supervisor)
        admin = open_admin(config, run_id, supervisor, log, display, break_in=break_in)
        looks = exposing(prepared, supervisor, rails)
        force = supervisor.works_in_caller
        came = ears.enter_context(
            signals_to(_shown(supervisor, display), force=force, break_in=break_in)
        )
        code, message, wrong = supervised(supervisor, prepared, rails.system, came, looks)
        known.append(code)
    except LifecycleError as error:
        code, wrong = error.exit_code, f"error: {redactor_of(config)(str(error))}"
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
    for text in (wrong, *told.errors) if quiet else (message, wrong, *told.lines, *told.errors):
        if text:
            print(text, file=stream)
    return code


def _is_silent(sink: AdapterConfig | None) -> bool:
    """Whether a sink does not write to standard output: it has a file's path, or is not there."""
    path = sink.settings.get("path") if sink else ""
    return isinstance(path, str) and path not in ("-", "/dev/stdout", "/dev/tty")


def _shown(supervisor: BootstrapSupervisor, display: Display) -> Callable[[str], None]:
    """Requests a stop, of which is shown what it waits for. Safe in a signal handler."""

    def request_stop(reason: str) -> None:
        display.stopping()
        supervisor.request_stop(reason)

    return request_stop


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
