"""A run from its configuration to its exit code, with all that is opened and closed around it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING, TextIO

from sk_kernel import BootstrapSupervisor, LifecycleError, RunSetup, RunStatus
from sk_kernel.runtime import built_for_good
from sk_observability import ExporterSetupError, LifecycleLog

from sk_supervisor._operate.access import open_admin
from sk_supervisor._plan.preflight import Prepared, prepare
from sk_supervisor._plan.run_id import checked_run_id, new_run_id
from sk_supervisor._plan.supervisors import supervisor_of
from sk_supervisor._processes.output import line_consumer
from sk_supervisor._run.abandoning import Abandoning
from sk_supervisor._run.lifetime import supervised
from sk_supervisor._run.summary import refusal
from sk_supervisor._session.standby import TakesStandby, started_standby
from sk_supervisor._show.announcing import announcing
from sk_supervisor._show.board import AGAIN, board_of
from sk_supervisor._show.display import Display, display_for
from sk_supervisor._show.screens import QuietScreen, Screen
from sk_supervisor._system.last_code import LastCode
from sk_supervisor._system.last_resort import LastResort
from sk_supervisor._system.signals import (
    BreakIn,
    ForcedStop,
    ReceivedSignals,
    TakesBreakIn,
    signals_to,
)
from sk_supervisor._system.streams import fill_standard_streams, tolerant
from sk_supervisor._telemetry.rails import (
    ENDING_SECONDS,
    FORCED_SECONDS,
    Rails,
    TelemetrySummary,
    lay_rails,
)
from sk_supervisor._text.redaction import redactor_of
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
    """Run a configuration in the profile that it names; return the documented exit code.

    Progress, a summary and errors go to ``stderr`` (default: this process's). SIGINT, SIGTERM and
    SIGHUP drain the run; a second one ends it by force. In the memory profile, whose nodes run in
    this thread, that may not help: then the next signal, at least a second later, and all after it
    have the effect that they had before the run. Raises no error of the run.
    """
    require_config(config, "run")
    return run_with(config, run_id=run_id, quiet=quiet, stderr=stderr)


def require_config(config: object, function: str) -> None:
    """Check the argument of a public function.

    :raises TypeError: when it is not a :class:`sk_config.Config`.
    """
    from sk_config import Config

    if isinstance(config, str | PathLike):
        written = f"{function}(load_config({str(config)!r}))"
        raise TypeError(f"a path is no configuration: write {written}")
    if not isinstance(config, Config):
        got = type(config).__name__
        raise TypeError(f"{got} is no configuration: write {function}(build_config(...))")


def run_with(
    config: Config,
    *,
    run_id: str | None,
    quiet: bool,
    stderr: TextIO | None = None,
    last: LastCode | None = None,
    on_made: Callable[[BootstrapSupervisor], object] = lambda _: None,
    quiet_screen: Callable[[TextIO], Screen] = QuietScreen,
) -> int:
    """Do what :func:`run` does, for callers that need more: the command, a service, a profiled run.

    :param last: is given the exit code as soon as it is known, while signals are still handled
        here.
    :param on_made: is called with the supervisor, in this thread, before anything is started.
    :param quiet_screen: shows the output of a quiet run.
    """
    stream = tolerant(stderr or sys.stderr)
    last = last or LastCode()
    execution = _Execution(config, stream, last, quiet_screen, quiet=quiet)
    try:
        with built_for_good() as complete:
            return execution.run(run_id, lambda supervisor: (complete(), on_made(supervisor)))
    except KeyboardInterrupt:
        # Signals are not handled here before the start, when nothing has been done, and after the
        # end, when the exit code is known.
        return EXIT_SIGNAL_BASE + signal.SIGINT if last.code is None else last.code


class _Execution:
    """One run: what it needs is opened before it, and always closed after it."""

    def __init__(
        self,
        config: Config,
        stream: TextIO,
        last: LastCode,
        quiet_screen: Callable[[TextIO], Screen],
        *,
        quiet: bool,
    ) -> None:
        self._config, self._stream, self._quiet = config, stream, quiet
        self._last, self._quiet_screen = last, quiet_screen

    def run(self, run_id: str | None, on_made: Callable[[BootstrapSupervisor], object]) -> int:
        """Reject a configuration that cannot run, or run it; return the exit code."""
        try:
            prepared = prepare(self._config)  # adapters reject a closed stream that they need
            if fill_standard_streams() and not self._quiet:
                self._say("warning: standard output is closed: what is written there is lost")
            run_id = new_run_id() if run_id is None else checked_run_id(run_id)
            rails = lay_rails(prepared, run_id)
        except (RunRefusedError, ExporterSetupError) as error:
            self._say(refusal(error, self._config))
            return EXIT_CONFIGURATION
        aside = _is_silent(self._config.adapters.sink)
        board, quiet_screen = board_of(prepared), self._quiet_screen if self._quiet else None
        display = display_for(self._stream, board, quiet_screen, output_elsewhere=aside)
        return self._run_prepared(prepared, run_id, rails, display, on_made)

    def _run_prepared(
        self,
        prepared: Prepared,
        run_id: str,
        rails: Rails,
        display: Display,
        on_made: Callable[[BootstrapSupervisor], object],
    ) -> int:
        supervisor, admin = None, None
        message, wrong, signals = "", "", ReceivedSignals()
        abandon = Abandoning(prepared, display, self._last)
        resort = LastResort(abandon if self._last.held else None)
        break_in = BreakIn(resort)
        handlers = ExitStack()  # signals are handled until everything is reported
        try:
            pool = handlers.enter_context(started_standby(prepared))
            supervisor = make_supervisor(prepared, run_id, rails.log, display)
            abandon.supervisor = supervisor
            if isinstance(supervisor, TakesStandby):
                supervisor.take_standby(pool)
            if isinstance(supervisor, TakesBreakIn):
                supervisor.take_break_in(break_in)
            on_made(supervisor)
            admin = open_admin(
                self._config, run_id, supervisor, rails.log, display, break_in=break_in
            )
            abandon.admin, force = admin, supervisor.works_in_caller
            if force:
                resort.watch()
            signals = handlers.enter_context(
                signals_to(_shown(supervisor, display), force=force, break_in=break_in)
            )
            code, message, wrong = supervised(supervisor, prepared, rails, signals)
            self._last.settle(code)
        except LifecycleError as error:
            code = self._last.settle(error.exit_code)
            wrong = f"error: {redactor_of(self._config)(str(error))}"
        finally:
            signals.breaks_in = False
            break_in.disarm()
            resort.disarm()
            with handlers:
                display.close()
                status = supervisor.snapshot() if supervisor else None
                told = _close_rails(rails, status, signals, stop_handling=handlers.close)
                if admin is not None:
                    admin.close(self._last.code)
                lines = (wrong, *told.errors)
                if not self._quiet:
                    lines = (message, wrong, *told.lines, *told.errors)
                if not display.last_words(filter(None, lines)):
                    self._last.at_once = True  # the interpreter would wait for the writer
        return code

    def _say(self, text: str) -> None:
        print(text, file=self._stream)


def _is_silent(sink: AdapterConfig | None) -> bool:
    """Whether the sink is known to write neither to standard output nor to the terminal."""
    path = sink.settings.get("path") if sink else ""
    return isinstance(path, str) and path not in ("-", "/dev/stdout", "/dev/tty")


def _shown(supervisor: BootstrapSupervisor, display: Display) -> Callable[[str, bool], None]:
    """Return a function that requests a stop and, unless it is forced, shows what that waits for.

    It is safe in a signal handler.
    """

    def request_stop(reason: str, force: bool) -> None:
        if not force:
            display.stopping(AGAIN)
        supervisor.request_stop(reason, force=force)

    return request_stop


def make_supervisor(
    prepared: Prepared, run_id: str, log: LifecycleLog, display: Display
) -> BootstrapSupervisor:
    """Create the supervisor that the configuration's mode names.

    :raises LifecycleError: when there is no such supervisor, or it cannot be created.
    """
    events = prepared.config.runtime.observability.logging.lifecycle_events
    setup = RunSetup(
        run_id=run_id,
        config=prepared.config,
        groups=tuple(g.name for g in prepared.groups),
        application=prepared.application,
        plan=prepared.plan,
        limits=prepared.limits,
        log=announcing(log, display.notice, prepared.config),
        on_progress=display.progress,
        on_line=line_consumer(display.line, log, as_events=events.worker_output),
    )
    return supervisor_of(prepared.mode, setup)


def _close_rails(
    rails: Rails,
    status: RunStatus | None,
    signals: ReceivedSignals,
    stop_handling: Callable[[], None],
) -> TelemetrySummary:
    """Send the remaining telemetry of a run that has ended; return what became of it.

    A second signal only cuts that short: the exit code is known by now. From then on, by
    ``stop_handling``, signals have their usual effect: so one more can end an exporter that exceeds
    its deadline.

    :param status: the run's last; None if there was no supervisor.
    """
    accounts, forced = (status.spans, status.stop_forced) if status else ((), False)
    try:
        signals.breaks_in = True
        told = rails.close(accounts, FORCED_SECONDS if forced else ENDING_SECONDS)
        signals.breaks_in = False
    except ForcedStop:
        stop_handling()
        told = rails.close(accounts, 0.0)
    return told
