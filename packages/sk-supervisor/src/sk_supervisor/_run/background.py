"""A run in a thread of its own, which starts the workers and must live as long as they do."""

from __future__ import annotations

import atexit
import logging
import threading
from io import StringIO
from typing import TYPE_CHECKING, Final, TextIO

from sk_kernel import BootstrapSupervisor, KernelError
from sk_kernel.runtime import forks

from sk_supervisor._plan.preflight import STOP_SECONDS
from sk_supervisor._run.execute import run_with
from sk_supervisor._show.screens import LoggedScreen
from sk_supervisor._supervisor.base import SupervisorBase
from sk_supervisor._system.threads import as_here, begin, begun
from sk_supervisor._text.redaction import redactor_of
from sk_supervisor.errors import EXIT_DONE, EXIT_SIGNAL_BASE, EXIT_START, ServiceFailedError

if TYPE_CHECKING:
    from sk_config import Config

#: A start has deadlines of its own, and its end wakes the threads that wait for it.
_A_DAY: Final = 86_400.0
_CLOSING: Final = "a service is still being closed"
_LEFT: Final = "the interpreter ends, and leaves a run of serve() that has not ended within %g s"
_FAILED: Final = "a run of serve() has failed, and no block was left to raise that: %s"
#: The exporters and the end of the processes may take so long after a stop.
_AFTER_STOP_SECONDS: Final = 5.0
_LOG: Final = logging.getLogger("sk_supervisor.serve")
_ONCE: Final = "what serve() gives is for one block, and was entered before: call serve() again"


class Background:
    """Begun, started and ended once each, by any thread; any thread may wait and read the failure.

    The run has the context variables of the thread that constructs this. Its thread is a daemon,
    or an interpreter that ends inside the block would wait for ever; instead it drains the run, as
    the end of the block does, once the threads of the program that are no daemons have ended.

    :param stderr: where progress is shown; without one the lines of the workers are logged.
    """

    def __init__(self, config: Config, run_id: str | None, stderr: TextIO | None) -> None:
        self._config, self._run_id, self._stderr = config, run_id, stderr
        self._said = StringIO()
        self._supervisor: BootstrapSupervisor | None = None
        self._made, self._over = threading.Event(), threading.Event()
        self._code = 1
        self._unexpected: BaseException | None = None
        self._forks = forks()
        self._thread = threading.Thread(
            target=as_here(), args=(self._work,), name="serve", daemon=True
        )

    def begin(self) -> None:
        """Start the thread of the run. Does not wait.

        :raises ServiceFailedError: when it was begun before, or the system has no thread left.
        """
        if begun(self._thread):
            raise ServiceFailedError(EXIT_START, _ONCE)
        atexit.register(self._interpreter_ends)
        try:
            begin(self._thread)
        except OSError as error:
            atexit.unregister(self._interpreter_ends)
            raise ServiceFailedError(EXIT_START, str(error)) from error

    def started(self) -> BootstrapSupervisor:
        """Return when the run works.

        If the wait is interrupted (Ctrl-C), the run is ended, as at the end of the block. After a
        failed start, the services that were created are closed in the thread of the run. If that
        exceeds the time of a stop, the failure is raised all the same, and the thread goes on.

        :raises ServiceFailedError: when the run cannot start.
        """
        try:
            self._made.wait()
            supervisor = self._supervisor
            if supervisor is not None and supervisor.wait_started(_A_DAY):
                return supervisor
        except BaseException:
            self.end("interrupted")
            raise
        ours = supervisor if isinstance(supervisor, SupervisorBase) else None
        if self._over.wait(ours.close_seconds if ours is not None else None):
            self._thread.join()
        atexit.unregister(self._interpreter_ends)  # the caller gets the failure
        raise self._failed()

    @property
    def is_elsewhere(self) -> bool:
        """Whether this process was forked after the run was created: the run is in its parent."""
        return self._forks != forks()

    def end(self, reason: str) -> ServiceFailedError | None:
        """Drain the run and return its failure; None if all is well, or the run is elsewhere.

        If the wait is interrupted, or its thread is a daemon that the end of the interpreter stops,
        the interpreter still waits for the drain.
        """
        if self.is_elsewhere:
            return None
        self._made.wait()
        if self._supervisor is not None:
            self._supervisor.request_stop(reason)
        # Not by join(): in Python 3.11 an interrupted join() counts the thread as ended.
        self._over.wait()  # a stop has its own time limit
        self._thread.join()
        atexit.unregister(self._interpreter_ends)
        return None if self._is_well() else self._failed()

    def _interpreter_ends(self) -> None:
        """Drain the run; abandon it if it outlasts the time of a stop, as a daemon thread can be.

        A failure is logged: no caller is left.
        """
        if self.is_elsewhere or not begun(self._thread):
            return
        platform = self._config.runtime.platform
        stop = max((g.stop_timeout_seconds for g in platform.process_groups), default=STOP_SECONDS)
        seconds = platform.health.drain_delay_seconds + stop + _AFTER_STOP_SECONDS
        if self._made.wait(seconds) and self._supervisor is not None:
            self._supervisor.request_stop("exit")
        if not self._over.wait(seconds):
            _LOG.error(_LEFT, seconds)
        elif not self._is_well():
            _LOG.error(_FAILED, self._failed())

    def wait(self, timeout_seconds: float | None) -> bool:
        """Return when the run has ended and all its parts are closed; whether that was in time."""
        return self._over.wait(timeout_seconds)

    @property
    def failure(self) -> KernelError | None:
        """The error of the run, once it is known; None if nothing has failed."""
        if self._cause is not None or not self._over.is_set() or self._is_well():
            return self._cause
        return self._failed()

    @property
    def _cause(self) -> KernelError | None:
        """The error that ended the run, if its supervisor provides it."""
        return self._supervisor.failure if isinstance(self._supervisor, SupervisorBase) else None

    def _is_well(self) -> bool:
        stopped = self._code > EXIT_SIGNAL_BASE
        return self._unexpected is None and (self._code == EXIT_DONE or stopped)

    def _failed(self) -> ServiceFailedError:
        error, said = self._unexpected, self._said.getvalue()
        if self._cause is not None and not self._over.is_set():
            told = redactor_of(self._config)(f"start failed: {self._cause} ({_CLOSING})")
            return _caused(ServiceFailedError(EXIT_START, told), self._cause)
        if error is not None:
            said = redactor_of(self._config)(f"{type(error).__name__}: {error}")
        return _caused(ServiceFailedError(self._code, said), error or self._cause)

    def _work(self) -> None:
        try:
            self._code = run_with(
                self._config,
                run_id=self._run_id,
                quiet=self._stderr is None,
                stderr=self._stderr or self._said,
                on_made=self._on_made,
                quiet_screen=LoggedScreen,
            )
        except BaseException as error:  # noqa: BLE001 - raised to the caller that waits
            self._unexpected = error
        finally:
            try:
                if self._supervisor is not None:
                    self._supervisor.shutdown()  # wakes callers if the run did not get that far
            except BaseException as error:  # noqa: BLE001 - raised to the caller that waits
                self._unexpected = self._unexpected or error
            finally:
                self._over.set()
                self._made.set()

    def _on_made(self, supervisor: BootstrapSupervisor) -> None:
        self._supervisor = supervisor
        self._made.set()


def _caused(failure: ServiceFailedError, cause: BaseException | None) -> ServiceFailedError:
    failure.__cause__ = cause
    return failure
