"""Serving requests from Python: a run in the background, and the way to ask its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack
from os import PathLike
from typing import TYPE_CHECKING, Any, TextIO

from sk_kernel import (
    BootstrapSupervisor,
    BoundaryDispatchInput,
    Envelope,
    KernelError,
    LifecycleCallError,
    ReplyWaiter,
    RunStatus,
)
from sk_kernel.runtime import RoutingResult

from sk_supervisor._run.background import Background
from sk_supervisor._system.promptness import PROMPTNESS
from sk_supervisor.errors import ServiceFailedError

if TYPE_CHECKING:
    from types import TracebackType

    from sk_config import Config


#: In a process that was forked inside the block, of whoever asks something of the run there.
_FORKED = "the run is in the process that this one was forked from: call serve() behind the fork"


class Service:
    """The nodes of a run that works, for callers of any thread or event loop.

    A process that is forked meanwhile cannot ask them: requests raise ``LifecycleCallError`` there.
    """

    def __init__(self, supervisor: BootstrapSupervisor, run: Background) -> None:
        self._supervisor, self._run = supervisor, run

    def request(
        self, envelope: Envelope[Any], *, timeout_seconds: float | None = None
    ) -> ReplyWaiter:
        """Send a request; never waits. ``await`` what it gives, or call its ``wait()``.

        The outcome is a :class:`sk_kernel.TerminalEvent` under the envelope's ``trace_id``, or a
        random one. Its payload is the first that the graph had for its sink; it is None where the
        graph let the request end without one.

        :raises RequestRefusedError: when too many are in flight (try again when one has ended), its
            trace id is in use, or the run is ending, or has ended (:class:`RequestsClosedError`,
            whose cause is the failure of the run, if that has failed).
        :raises UnknownRouteError: when no node takes the payload, or its target does not.
        :raises UnsendableRequestError, RecordTooLargeError: when it cannot be sent to a process.
        """
        self._check_process("request")
        return self._supervisor.request(envelope, timeout_seconds=timeout_seconds)

    def execute_boundary(
        self, inputs: Sequence[BoundaryDispatchInput], *, timeout_seconds: float | None = None
    ) -> RoutingResult:
        """Run inputs from their targets on, wait for all, and give the replies in their order.

        :raises HandoffError: as the first of them that failed.
        :raises UnknownRouteError: when there is no such group, or it does not run the target.
        :raises RequestRefusedError, RecordTooLargeError: as :meth:`request`.
        """
        self._check_process("execute_boundary")
        return self._supervisor.execute_boundary(inputs, timeout_seconds=timeout_seconds)

    def status(self) -> RunStatus:
        """The run as it is now."""
        return self._supervisor.snapshot()

    @property
    def failure(self) -> KernelError | None:
        """What the run has failed of, as soon as that is known; None while all is well.

        It is what the supervisor raised, :class:`RuntimeWorkerFailedError` and others, or else, of
        a run that has ended, :class:`ServiceFailedError`.
        """
        return self._run.failure

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Return when the run has ended, well or not; whether it has within the time.

        Until then nothing is polled. On an event loop: ``await asyncio.to_thread(service.wait)``.

        :raises LifecycleCallError: in a process that was forked meanwhile, which hears of no end.
        """
        self._check_process("wait")
        return self._run.wait(timeout_seconds)

    def _check_process(self, method: str) -> None:
        if self._run.is_elsewhere:
            raise LifecycleCallError(method, _FORKED)


class Serving(AbstractContextManager[Service], AbstractAsyncContextManager[Service]):
    """What :func:`serve` gives: for one ``with`` or ``async with`` block, once.

    A process that is forked inside the block may leave it too: nothing becomes of the run by that.
    """

    def __init__(self, run: Background) -> None:
        self._run = run
        self._held = ExitStack()

    def __enter__(self) -> Service:
        """Start the run; return when it works."""
        self._run.begin()
        return self._serving(self._run.started())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drain the run, and raise what it has failed of."""
        self._held.close()
        _raise(self._run.end("served"), error)

    async def __aenter__(self) -> Service:
        """The same, in a thread: the loop goes on."""
        import asyncio

        self._run.begin()
        try:
            return self._serving(await asyncio.to_thread(self._run.started))
        except asyncio.CancelledError:
            await asyncio.to_thread(self._run.end, "interrupted")
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The same, in a thread; who is cancelled meanwhile waits for the end, too."""
        import asyncio

        self._held.close()
        if self._run.is_elsewhere:
            return
        ending = asyncio.ensure_future(asyncio.to_thread(self._run.end, "served"))
        try:
            failure = await asyncio.shield(ending)
        except asyncio.CancelledError as cancelled:
            _raise(await ending, cancelled)
            raise
        _raise(failure, error)

    def _serving(self, supervisor: BootstrapSupervisor) -> Service:
        self._held.enter_context(PROMPTNESS.held())
        return Service(supervisor, self._run)


def serve(config: Config, *, run_id: str | None = None, stderr: TextIO | None = None) -> Serving:
    """Run a configuration in the background for as long as a block lasts; gives its service.

    ``with serve(config) as service:`` begins when the run works, in the profile that the
    configuration names. When it ends the run is drained: no more requests are taken, those in
    flight are answered, the source is interrupted. ``async with`` does the same, and waits without
    blocking the event loop. With ``adapters.source.name: requests`` a run has no input but
    requests.

    Signals stay with the caller. The interpreter's switch interval is 0.3 ms meanwhile. Progress
    goes to ``stderr``; without one, none is shown, and what workers write is logged by the logger
    ``sk_supervisor.workers``: a line of a standard error as a warning, of a standard output as
    info, and a failure with its traceback as one record, of its own level.

    :raises ServiceFailedError: when the run cannot start, or failed meanwhile, from the typed
        error; a failure inside the block goes first, with the run's as a note.
    """
    if isinstance(config, str | PathLike):
        raise TypeError(f"a path is no configuration: write serve(load_config({str(config)!r}))")
    return Serving(Background(config, run_id, stderr))


def _raise(failure: ServiceFailedError | None, primary: BaseException | None) -> None:
    """Raise what a run has failed of, unless the block has failed: then it is noted on that."""
    if failure is None:
        return
    if primary is None:
        raise failure
    primary.add_note(f"and then: {failure}")
