"""What a worker says of its work at the borders of it: its spans, its last progress, its drain."""

from __future__ import annotations

import logging
import sys
import traceback

from sk_control import ControlPlaneChannel, Drained, DrainOutcome
from sk_kernel import (
    AdapterFailedError,
    DeadLetterError,
    NodeFailedError,
    NodeOutputError,
    RecordTooLargeError,
    ResolutionError,
    UnknownTargetError,
)
from sk_kernel.runtime import application_traceback

from sk_supervisor._protocol.failures import has_no_reader
from sk_supervisor._worker.assembly import Assembly
from sk_supervisor._worker.pulse import progress_message
from sk_supervisor._worker.telling import tell
from sk_supervisor.errors import ApplicationExitError, ProfileError

#: What is raised by the application's code, whose own lines are enough.
_THEIRS = (NodeFailedError, AdapterFailedError, ResolutionError, ApplicationExitError)

#: What no line of theirs is at fault for: where in the runtime it was found is of no use to them.
_SAYS_ALL = (NodeOutputError, RecordTooLargeError, UnknownTargetError, DeadLetterError)


def print_failure(error: BaseException) -> None:
    """Print what ends this worker to its standard error, as the supervisor's evidence."""
    if has_no_reader(error):
        return  # what is told of it on the control channel is all there is
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, _SAYS_ALL):
        tell(logging.ERROR, said)
    elif isinstance(error, _THEIRS) and error.__cause__ is not None:
        tell(logging.ERROR, f"{application_traceback(error.__cause__)}\n{said}")
    else:
        tell(logging.ERROR, "".join(traceback.format_exception(error)).rstrip())


def tell_spans(control: ControlPlaneChannel, assembly: Assembly | None) -> None:
    """Send what has become of the spans so far, where there are any."""
    counts = assembly.span_counts() if assembly else None
    if counts is not None:
        control.send(counts)


def tell_last(control: ControlPlaneChannel, assembly: Assembly | None) -> None:
    """Send the spans, and how far the work has come."""
    tell_spans(control, assembly)
    if assembly is not None:
        control.send(progress_message(assembly.engine.progress, metering=assembly.metering()))


def tell_drained(control: ControlPlaneChannel, assembly: Assembly) -> None:
    """Report that all work is done, with what the sink counted, and write the profile.

    What is still to be exported is so behind this: neither the drain nor a request that is asked
    meanwhile waits for an exporter. A run that is profiled does.
    """
    engine = assembly.engine
    outcome = DrainOutcome.COMPLETE if engine.complete else DrainOutcome.STOPPED
    last = engine.progress
    tell_last(control, assembly)  # before the sink is asked, which may be the end of this process
    counters = engine.sink.summary() if engine.sink else {}
    if engine.sink and engine.sink.unsummed:
        sys.stderr.write(f"warning: {engine.sink.unsummed}\n")
    _write_profile(assembly)
    left = assembly.partial_outputs()
    control.send(Drained(outcome, last.records_in, last.records_out, counters, left))


def _write_profile(assembly: Assembly) -> None:
    try:
        if assembly.profiler is not None:
            assembly.export()  # so that what the last spans cost is in it, too
            done = assembly.engine.progress
            assembly.profiler.write(done.source_records, done.records_in)
    except ProfileError as error:  # the run is none the worse for it
        traceback.print_exception(error, file=sys.stderr)
