"""Serving requests from Python: a run in the background, and the way to ask its nodes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, TextIO

from sk_kernel import (
    BootstrapSupervisor,
    BoundaryDispatchInput,
    Envelope,
    ReplyWaiter,
    RoutingResult,
    RunStatus,
)

from sk_supervisor._execute import run_with
from sk_supervisor._threads import begin
from sk_supervisor.errors import (
    EXIT_DONE,
    EXIT_SIGNAL_BASE,
    EXIT_START,
    ServiceFailedError,
)

if TYPE_CHECKING:
    from sk_config import Config

#: A start has deadlines of its own, and its end wakes whoever waits for it.
_A_DAY = 86_400.0
_SWITCH_SECONDS = 0.000_3


class Service:
    """The nodes of a run that works, for callers of any thread or event loop."""

    def __init__(self, supervisor: BootstrapSupervisor) -> None:
        self._supervisor = supervisor

    def request(
        self, envelope: Envelope[Any], *, timeout_seconds: float | None = None
    ) -> ReplyWaiter:
        """Send a request; never waits. ``await`` what it gives, or call its ``wait()``.

        The outcome is a :class:`sk_kernel.TerminalEvent` under the envelope's ``trace_id``, or a
        random one. Its payload is the first that the graph had for its sink; it is None where the
        graph let the request end without one.

        :raises RequestRefusedError: when too many are in flight (try again when one has ended), its
            trace id is in use, or the run is ending.
        :raises UnknownRouteError: when no node takes the payload, or its target does not.
        :raises WireError, RecordTooLargeError: when the payload cannot be sent to a process.
        """
        return self._supervisor.request(envelope, timeout_seconds=timeout_seconds)

    def execute_boundary(
        self, inputs: Sequence[BoundaryDispatchInput], *, timeout_seconds: float | None = None
    ) -> RoutingResult:
        """Run inputs from their targets on, wait for all, and give the replies in their order.

        :raises HandoffError: as the first of them that failed.
        """
        return self._supervisor.execute_boundary(inputs, timeout_seconds=timeout_seconds)

    def status(self) -> RunStatus:
        """The run as it is now."""
        return self._supervisor.snapshot()


@contextmanager
def serve(
    config: Config, *, run_id: str | None = None, stderr: TextIO | None = None
) -> Iterator[Service]:
    """Run a configuration in the background for as long as the block lasts; gives its service.

    The block begins when the run works, in the profile that the configuration names. When it ends
    the run is drained: no more requests are taken, those in flight are answered, the source is
    interrupted. With ``adapters.source.name: requests`` a run has no input but requests.

    Signals stay with the caller. The interpreter's switch interval is 0.3 ms meanwhile. Progress
    goes to ``stderr``; without one, nothing is shown, and what would be is in the error.

    :raises ServiceFailedError: when the run cannot start, or failed meanwhile; a failure inside the
        block goes first, with the run's as a note.
    """
    if isinstance(config, str | PathLike):
        raise TypeError(f"a path is no configuration: write serve(load_config({str(config)!r}))")
    background = _Background(config, run_id, stderr)
    supervisor = background.start()
    try:
        with _PROMPTNESS.held():
            yield Service(supervisor)
    except BaseException as primary:
        failure = background.end("served")
        if failure is not None:
            primary.add_note(f"and then: {failure}")
        raise
    failure = background.end("served")
    if failure is not None:
        raise failure


class _Background:
    """A run in a thread of its own: the one that starts workers lives as long as they do."""

    def __init__(self, config: Config, run_id: str | None, stderr: TextIO | None) -> None:
        self._config, self._run_id, self._stderr = config, run_id, stderr
        self._said = StringIO()
        self._supervisor: BootstrapSupervisor | None = None
        self._made = threading.Event()
        self._code = 1
        self._thread = threading.Thread(target=self._work, name="serve")

    def start(self) -> BootstrapSupervisor:
        """Return when the run works.

        Where the wait is cut short (Ctrl-C) the run is ended, as it would be at the block's end.

        :raises ServiceFailedError: when it cannot start.
        """
        try:
            begin(self._thread)
        except OSError as error:
            raise ServiceFailedError(EXIT_START, str(error)) from error
        try:
            self._made.wait()
            supervisor = self._supervisor
            if supervisor is not None and supervisor.wait_started(_A_DAY):
                return supervisor
        except BaseException:
            self.end("interrupted")
            raise
        self._thread.join()
        raise ServiceFailedError(self._code, self._said.getvalue())

    def end(self, reason: str) -> ServiceFailedError | None:
        """Drain the run, and what has gone wrong with it."""
        self._made.wait()
        if self._supervisor is not None:
            self._supervisor.request_stop(reason)
        self._thread.join()  # a stop has its own budget
        if self._code == EXIT_DONE or self._code > EXIT_SIGNAL_BASE:
            return None
        return ServiceFailedError(self._code, self._said.getvalue())

    def _work(self) -> None:
        quiet, stream = self._stderr is None, self._stderr or self._said
        try:
            self._code = run_with(
                self._on_made, self._config, run_id=self._run_id, quiet=quiet, stderr=stream
            )
        finally:
            if self._supervisor is not None:
                self._supervisor.shutdown()  # where it did not come so far: who waits is woken
            self._made.set()

    def _on_made(self, supervisor: BootstrapSupervisor) -> None:
        self._supervisor = supervisor
        self._made.set()


class _Promptness:
    """Lets the hub's thread have the interpreter soon, whatever its callers are at.

    Python's default lets each thread keep it for 5 ms, and the hub asks for it at every hop. It is
    the whole process's, so it is put back when the last of those that want it has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users, self._before = 0, 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it so inside the block."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before, _SWITCH_SECONDS))
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    sys.setswitchinterval(self._before)


_PROMPTNESS: Final = _Promptness()
