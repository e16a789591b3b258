"""What is said of a run at its end: what it did, or what it failed of."""

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

#: What a start fails of in this process, where the application's code raised it.
_MADE: Final = (ResolutionError, AdapterFailedError)


def refusal(error: Exception, config: Config) -> str:
    """Why a configuration cannot run, free of secrets: one line, or one for each fault.

    A fault of what is in a file is told with the line.
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
    """What a finished run did, in a few lines; ``restarts`` is how many workers were followed."""
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
    """What is wrong with the end of a run that has a report."""
    done = "the run was stopped" if report.outcome == "stopped" else "the work is done"
    if supervisor.works_in_caller:
        return f"{done}, but the cleanup after it was cut short by force"
    forced = [e for e in supervisor.lifecycle_events() if e.name == EventName.SUPERVISOR_FORCE_STOP]
    left = f": {forced[0].fields.get('workers', '')}" if forced else ""
    return f"{done}, but workers had to be ended by force ({rung}){left}"


def failure(
    problem: str, supervisor: BootstrapSupervisor, prepared: Prepared, trace_id: str = ""
) -> str:
    """What ended a run before its time, free of secrets, and where its output is so far.

    It says the run, and of a record at fault the trace: both are what ``sk replay`` asks for.
    """
    trace = f", trace {trace_id}" if trace_id else ""
    run = f"  run {supervisor.snapshot().run_id}{trace}"
    said = f"error: {redactor_of(prepared.config)(problem)}"
    return "\n".join([said, run, *_partial(supervisor)])


def unread(supervisor: BootstrapSupervisor) -> str:
    """What is said of a run whose standard output nobody reads any more: ``head`` has seen enough.

    No word of failure, and none of it where a run is to be quiet.
    """
    return "\n".join(["ended: the reader of standard output has gone", *_partial(supervisor)])


@runtime_checkable
class MayDoubt(Protocol):
    """A supervisor that may not know, of a run that failed, what has become of its output."""

    @property
    def output_is_in_doubt(self) -> bool:
        """Whether it does not, behind the shutdown."""


def _partial(supervisor: BootstrapSupervisor) -> list[str]:
    try:
        doubt = isinstance(supervisor, MayDoubt) and supervisor.output_is_in_doubt
        unless = " (or already committed: the sink's worker died before it could report)"
        paths = supervisor.partial_outputs()
        return [f"  partial output: {_whole(path)}{unless if doubt else ''}" for path in paths]
    except KernelError as error:  # a sink that cannot say so must not hide why the run ended
        return [f"  partial output: unknown: {error}"]


def _whole(path: str) -> str:
    """The whole path of a file, wherever this is read; a sink's word for anything else as it is."""
    return os.path.abspath(path) if os.path.lexists(path) else path


def without_last_lines(said: str) -> str:
    """An error's text without what a worker wrote last: that was shown, under its name, as it came.

    And whole, where of the text, which is cut, nothing may be left but frames of the runtime's.
    """
    return "\n".join(line for line in said.splitlines() if not line.startswith(LAST_LINE))


def with_cause(error: KernelError) -> str:
    """The error, the traceback of what a node or adapter raised, and what went wrong behind it."""
    return "\n".join([_traced(error), *getattr(error, "__notes__", ())])


def _traced(error: KernelError) -> str:
    """The error, and the traceback of what a node or adapter raised, as a worker prints it.

    A file of dead letters and a reader that has gone are nobody's code: the error says all.
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
