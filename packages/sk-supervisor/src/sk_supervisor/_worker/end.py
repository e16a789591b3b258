"""The end of a worker: it acknowledges the stop, or reports its failure first."""

from __future__ import annotations

import sys
import traceback

from sk_control import ControlError, ControlPlaneChannel, StopAck
from sk_kernel import KernelError

from sk_supervisor._protocol.failed import failed_of
from sk_supervisor._worker.assembly import Assembly
from sk_supervisor._worker.orders import Orders
from sk_supervisor._worker.reports import print_failure, tell_last, tell_spans

#: How long a failed worker waits for the supervisor's stop before it exits.
_LAST_WORD_SECONDS = 5.0


def end_stopped(control: ControlPlaneChannel, assembly: Assembly | None) -> int:
    """Release everything, and acknowledge the stop; return the exit code.

    :raises AdapterFailedError: when an adapter cannot end.
    :raises DeadLetterError: when a dead letter cannot be written.
    :raises ControlError: when the session is lost.
    """
    if assembly is not None:
        assembly.end()
    tell_last(control, assembly)
    _acknowledge(control, assembly)
    return 0


def end_failed(
    error: BaseException,
    control: ControlPlaneChannel,
    assembly: Assembly | None,
    orders: Orders,
    *,
    started: bool,
) -> int:
    """Report the error, abort the sink, and wait shortly for the stop; return the exit code.

    :param started: whether this worker had reported that it was ready.
    """
    orders.stay()
    print_failure(error)
    try:
        # Before the abort: if a successor is to follow, there may be no time after it.
        tell_spans(control, assembly)
        control.send(failed_of(error, started=started))
        if assembly is not None:
            _abort(assembly)
        tell_last(control, assembly)
        orders.stop_asked.wait(_LAST_WORD_SECONDS)
        _acknowledge(control, assembly)
    except ControlError as second:
        traceback.print_exception(second, file=sys.stderr)
    return 1


def _acknowledge(control: ControlPlaneChannel, assembly: Assembly | None) -> None:
    control.send(StopAck(assembly.left_outputs() if assembly is not None else ()))


def _abort(assembly: Assembly) -> None:
    try:
        assembly.end()
    except KernelError as second:  # mostly a consequence of the first, printed with its traceback
        sys.stderr.write(f"and then: {type(second).__name__}: {second}\n")
