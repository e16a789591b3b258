"""Serving requests from Python: a run in the background, and the way to ask its nodes."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

from sk_kernel import (
    BootstrapSupervisor,
    BoundaryDispatchInput,
    Envelope,
    ReplyWaiter,
    RoutingResult,
    RunStatus,
)

from sk_supervisor._execute import run_with
from sk_supervisor.errors import EXIT_DONE, EXIT_SIGNAL_BASE, ServiceFailedError

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
    said = StringIO()
    made: queue.SimpleQueue[BootstrapSupervisor | None] = queue.SimpleQueue()
    codes: list[int] = []

    def work() -> None:
        mine: list[BootstrapSupervisor] = []

        def on_made(supervisor: BootstrapSupervisor) -> None:
            mine.append(supervisor)
            made.put(supervisor)

        try:
            quiet, stream = stderr is None, stderr or said
            codes.append(run_with(on_made, config, run_id=run_id, quiet=quiet, stderr=stream))
        finally:
            for supervisor in mine:
                supervisor.shutdown()  # where it did not come so far: it wakes whoever waits
            made.put(None)

    # The thread that starts workers lives as long as they do.
    thread = threading.Thread(target=work, name="serve")
    thread.start()
    supervisor = made.get()
    if supervisor is None or not supervisor.wait_started(_A_DAY):
        thread.join()
        raise ServiceFailedError(codes[0] if codes else 1, said.getvalue())
    try:
        with _prompt_threads():
            yield Service(supervisor)
    except BaseException as primary:
        failure = _ended(supervisor, thread, codes, said)
        if failure is not None:
            primary.add_note(f"and then: {failure}")
        raise
    failure = _ended(supervisor, thread, codes, said)
    if failure is not None:
        raise failure


@contextmanager
def _prompt_threads() -> Iterator[None]:
    """Let the hub's thread have the interpreter soon, whatever its callers are at.

    Python's default lets each thread keep it for 5 ms, and the hub asks for it at every hop.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _ended(
    supervisor: BootstrapSupervisor, thread: threading.Thread, codes: list[int], said: StringIO
) -> ServiceFailedError | None:
    """Drain the run, and what has gone wrong with it."""
    supervisor.request_stop("served")
    thread.join()  # a stop has its own budget
    code = codes[0] if codes else 1
    if code == EXIT_DONE or code > EXIT_SIGNAL_BASE:
        return None
    return ServiceFailedError(code, said.getvalue())
