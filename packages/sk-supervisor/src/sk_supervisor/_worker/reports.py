"""A worker's reports besides its pulse: its spans, last progress, drain and failure."""

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

#: Errors that the application's code raised: the traceback shows only its own lines.
_THEIRS = (NodeFailedError, AdapterFailedError, ResolutionError, ApplicationExitError)

#: Errors without a line of the application at fault: a traceback of the runtime would not help.
_SAYS_ALL = (NodeOutputError, RecordTooLargeError, UnknownTargetError, DeadLetterError)


def print_failure(error: BaseException) -> None:
    """Print the error that ends this worker to standard error, which the supervisor captures."""
    if has_no_reader(error):
        return  # the report over the control session says everything
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, _SAYS_ALL):
        tell(logging.ERROR, said)
    elif isinstance(error, _THEIRS) and error.__cause__ is not None:
        tell(logging.ERROR, f"{application_traceback(error.__cause__)}\n{said}")
    else:
        tell(logging.ERROR, "".join(traceback.format_exception(error)).rstrip())


def tell_spans(control: ControlPlaneChannel, assembly: Assembly | None) -> None:
    """Send the counts of spans so far, if the run is traced."""
    if assembly is not None and assembly.spans is not None:
        control.send(assembly.spans.counts())


def tell_last(control: ControlPlaneChannel, assembly: Assembly | None) -> None:
    """Send the counts of spans, and the last progress."""
    tell_spans(control, assembly)
    if assembly is not None:
        control.send(progress_message(assembly.engine.progress, metering=assembly.metering()))


def tell_drained(control: ControlPlaneChannel, assembly: Assembly) -> None:
    """Report that all work is done, with the sink's counters, and write the profile.

    Remaining spans are exported later, so that neither the drain nor a request waits for an
    exporter; in a profiled run they are exported before the report.
    """
    engine, sink = assembly.engine, assembly.segments.sink
    outcome = DrainOutcome.COMPLETE if engine.complete else DrainOutcome.STOPPED
    last = engine.progress
    tell_last(control, assembly)  # before the sink's summary, which may end this process
    counters = sink.summary() if sink is not None else {}
    if sink is not None and sink.unsummed:
        sys.stderr.write(f"warning: {sink.unsummed}\n")
    _write_profile(assembly)
    left = assembly.partial_outputs()
    control.send(Drained(outcome, last.records_in, last.records_out, counters, left))


def _write_profile(assembly: Assembly) -> None:
    try:
        if assembly.profiler is not None:
            if assembly.spans is not None:
                assembly.spans.export()  # so that the profile contains the cost of the last spans
            done = assembly.engine.progress
            assembly.profiler.write(done.source_records, done.records_in)
    except ProfileError as error:  # the run itself has succeeded
        traceback.print_exception(error, file=sys.stderr)
