"""The messages at the end of a run: the summary, or the failure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from sk_config import place_of
from sk_kernel import (
    AdapterFailedError,
    BootstrapSupervisor,
    DeadLetterError,
    Fault,
    KernelError,
    LifecycleError,
    ResolutionError,
    RunReport,
)
from sk_kernel.runtime import application_traceback
from sk_observability import EventName

from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._protocol.failures import has_no_reader
from sk_supervisor._text.redaction import redactor_of
from sk_supervisor.errors import LAST_LINE, ApplicationExitError, RunRefusedError

if TYPE_CHECKING:
    from sk_config import Config

#: Errors that a start raises from an exception of the application's code, in this process.
_MADE: Final = (ResolutionError, AdapterFailedError)


def refusal(error: Exception, config: Config) -> str:
    """Return why a configuration cannot run, without secrets: one line, or one for each fault.

    A fault in a file is reported with its line.
    """
    faults = error.faults if isinstance(error, RunRefusedError) else ()
    lines = [f"{each}{_placed(config, each)}" for each in faults] or str(error).splitlines()
    several = "".join(f"\n  {line}" for line in lines)
    said = lines[0] if len(lines) == 1 else f"the configuration cannot run:{several}"
    return redactor_of(config)(f"error: {said}")


def _placed(config: Config, fault: Fault) -> str:
    place = place_of(config, fault.path)
    return f" ({place})" if place else ""


def summary(report: RunReport, restarts: int = 0) -> str:
    """Return a summary of a finished run in a few lines, with its number of worker restarts."""
    rate = report.records_in / report.seconds if report.seconds > 0 else 0.0
    lines = [
        f"{report.outcome}: {report.scenario} ({report.profile}), run {report.run_id}",
        f"  records in {report.records_in:,}, out {report.records_out:,},"
        f" {report.seconds:.2f} s, {rate:,.0f}/s",
    ]
    if report.counters:
        counted = ", ".join(f"{name} {count:,}" for name, count in sorted(report.counters.items()))
        lines.append(f"  {counted}")
    if report.dead_lettered or report.skipped:
        lines.append(
            f"  given up: dead-lettered {report.dead_lettered:,}, skipped {report.skipped:,}"
        )
    if restarts:
        lines.append(f"  restarts {restarts:,}")
    lines += [f"  partial output: {_whole(path)}" for path in report.partial_outputs]
    return "\n".join(lines)


def by_force(report: RunReport, supervisor: BootstrapSupervisor, rung: str) -> str:
    """Return the problem with the end of a run that has a report, but was ended by force."""
    done = "the run was stopped" if report.outcome == "stopped" else "the work is done"
    if supervisor.works_in_caller:
        return f"{done}, but the cleanup after it was cut short by force"
    forced = [e for e in supervisor.lifecycle_events() if e.name == EventName.SUPERVISOR_FORCE_STOP]
    left = f": {forced[0].fields.get('workers', '')}" if forced else ""
    return f"{done}, but workers had to be ended by force ({rung}){left}"


def failure(
    problem: str, supervisor: BootstrapSupervisor, prepared: Prepared, trace_id: str = ""
) -> str:
    """Return the failure that ended a run, without secrets, and where its output is so far.

    It names the run, and the trace of a record at fault: ``sk replay`` needs both.
    """
    trace = f", trace {trace_id}" if trace_id else ""
    run = f"  run {supervisor.snapshot().run_id}{trace}"
    said = f"error: {redactor_of(prepared.config)(problem)}"
    return "\n".join([said, run, *_partial(supervisor)])


def unread(supervisor: BootstrapSupervisor) -> str:
    """Return the message for a run whose standard output has no reader: ``head`` has read enough.

    It is not a failure, so a quiet run shows no message.
    """
    return "\n".join(["ended: the reader of standard output has gone", *_partial(supervisor)])


@runtime_checkable
class MayDoubt(Protocol):
    """A supervisor that may not know whether the output of a failed run was committed."""

    @property
    def output_is_in_doubt(self) -> bool:
        """Whether that is so, after the shutdown."""


def _partial(supervisor: BootstrapSupervisor) -> list[str]:
    try:
        doubt = isinstance(supervisor, MayDoubt) and supervisor.output_is_in_doubt
        unless = " (or already committed: the sink's worker died before it could report)"
        paths = supervisor.partial_outputs()
        return [f"  partial output: {_whole(path)}{unless if doubt else ''}" for path in paths]
    except KernelError as error:  # a sink that fails here must not hide why the run ended
        return [f"  partial output: unknown: {error}"]


def _whole(path: str) -> str:
    """Return the absolute path of a file; return another name from a sink unchanged."""
    return os.path.abspath(path) if os.path.lexists(path) else path


def without_last_lines(said: str) -> str:
    """Remove the worker's last lines from an error: they were shown under its name as they came.

    They were shown in full. In the text, which is cut, only frames of the runtime may be left.
    """
    return "\n".join(line for line in said.splitlines() if not line.startswith(LAST_LINE))


def with_cause(error: KernelError) -> str:
    """Return the error, the traceback of the application's exception, and later errors."""
    return "\n".join([_traced(error), *getattr(error, "__notes__", ())])


def _traced(error: KernelError) -> str:
    """Return the error, with the traceback of a node or adapter as a worker prints it.

    For a dead letter file or a missing reader no code is at fault: the message is enough.
    """
    raised, said = error, str(error)
    if isinstance(error, LifecycleError) and not isinstance(error, ApplicationExitError):
        said = without_last_lines(said)
        if not isinstance(error.__cause__, _MADE):
            return said
        raised = error.__cause__
    if raised.__cause__ is None or isinstance(raised, DeadLetterError) or has_no_reader(raised):
        return said
    return f"{said}\n{application_traceback(raised.__cause__)}"
