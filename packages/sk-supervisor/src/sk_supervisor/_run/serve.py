"""Serving requests from Python: a run in the background, and the interface to its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack
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
from sk_supervisor._run.execute import require_config
from sk_supervisor._system.promptness import PROMPTNESS
from sk_supervisor.errors import ServiceFailedError

if TYPE_CHECKING:
    from types import TracebackType

    from sk_config import Config


#: The error of a call in a process that was forked inside the block.
_FORKED = "the run is in the process that this one was forked from: call serve() after the fork"


class Service:
    """The nodes of a running run, for callers in any thread or event loop.

    A process that is forked meanwhile cannot use them: requests raise ``LifecycleCallError`` there.
    """

    def __init__(self, supervisor: BootstrapSupervisor, run: Background) -> None:
        self._supervisor, self._run = supervisor, run

    def request(
        self, envelope: Envelope[Any], *, timeout_seconds: float | None = None
    ) -> ReplyWaiter:
        """Send a request without waiting; ``await`` the returned waiter, or call its ``wait()``.

        The outcome is a :class:`sk_kernel.TerminalEvent` under the envelope's ``trace_id``, or a
        random one. Its payload is the first that reaches the sink of the graph, or None if none
        does.

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
        """Run inputs from their targets on, wait for all, and return the replies in their order.

        :raises HandoffError: for the first input that failed.
        :raises UnknownRouteError: when there is no such group, or it does not run the target.
        :raises RequestRefusedError, RecordTooLargeError: as :meth:`request`.
        """
        self._check_process("execute_boundary")
        return self._supervisor.execute_boundary(inputs, timeout_seconds=timeout_seconds)

    def status(self) -> RunStatus:
        """Return the present status of the run."""
        return self._supervisor.snapshot()

    @property
    def failure(self) -> KernelError | None:
        """The error of the run, once it is known; None if nothing has failed.

        It is the error that the supervisor raised, such as :class:`RuntimeWorkerFailedError`, or
        else :class:`ServiceFailedError` if the run has ended.
        """
        return self._run.failure

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Return when the run has ended, well or not; whether that was within the time.

        It does not poll. On an event loop: ``await asyncio.to_thread(service.wait)``.

        :raises LifecycleCallError: in a process that was forked meanwhile, which is not notified.
        """
        self._check_process("wait")
        return self._run.wait(timeout_seconds)

    def _check_process(self, method: str) -> None:
        if self._run.is_elsewhere:
            raise LifecycleCallError(method, _FORKED)


class Serving(AbstractContextManager[Service], AbstractAsyncContextManager[Service]):
    """The return value of :func:`serve`, for one ``with`` or ``async with`` block.

    A process that is forked inside the block may leave the block, too: that does not affect the
    run.
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
        """Drain the run, and raise its failure."""
        self._held.close()
        _raise(self._run.end("served"), error)

    async def __aenter__(self) -> Service:
        """Start the run in a thread, without blocking the event loop; return when it works."""
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
        """Drain the run in a thread, and raise its failure; a cancelled task waits, too."""
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
    """Run a configuration in the background for the time of a block, which gets a :class:`Service`.

    ``with serve(config) as service:`` begins when the run works, in the profile that the
    configuration names. At its end the run is drained: no more requests are accepted, those in
    flight are answered, the source is interrupted. ``async with`` does the same, and waits without
    blocking the event loop. With ``adapters.source.name: requests`` a run has no input but
    requests.

    If the interpreter ends before the block is left, the run is drained within the time of a stop,
    and its failure is logged by the logger ``sk_supervisor.serve``.

    Signals stay with the caller. The interpreter's switch interval is 0.3 ms meanwhile. Progress
    goes to ``stderr``. Without one, no progress is shown, and the output of workers is logged by
    the logger ``sk_supervisor.workers``: a line of standard error as a warning, a line of standard
    output as info, and a failure with its traceback as one record with its own level.

    :raises ServiceFailedError: when the run cannot start, or failed meanwhile, from the typed
        error. An exception in the block is raised instead, with the run's failure as a note.
    """
    require_config(config, "serve")
    return Serving(Background(config, run_id, stderr))


def _raise(failure: ServiceFailedError | None, primary: BaseException | None) -> None:
    """Raise the failure of a run; if the block raised an exception, add it to that as a note."""
    if failure is None:
        return
    if primary is None:
        raise failure
    primary.add_note(f"and then: {failure}")
