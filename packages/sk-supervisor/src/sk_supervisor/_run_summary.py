"""What is said of a run at its end: what it did, or what it failed of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sk_kernel import (
    BootstrapSupervisor,
    DeadLetterError,
    KernelError,
    RunReport,
    application_traceback,
)

from sk_supervisor._failures import has_no_reader
from sk_supervisor._preflight import Prepared
from sk_supervisor._redaction import redactor_of

if TYPE_CHECKING:
    from sk_config import Config


def refusal(error: Exception, config: Config) -> str:
    """Why a configuration cannot run, free of secrets: one line, or one for each fault."""
    lines = str(error).splitlines()
    several = "".join(f"\n  {line}" for line in lines)
    said = lines[0] if len(lines) == 1 else f"the configuration cannot run:{several}"
    return redactor_of(config)(f"error: {said}")


def summary(report: RunReport) -> str:
    """What a finished run did, in a few lines."""
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
    lines += [f"  partial output: {path}" for path in report.partial_outputs]
    return "\n".join(lines)


def by_force(report: RunReport, supervisor: BootstrapSupervisor, rung: str) -> str:
    """What is wrong with the end of a run that has a report."""
    done = "the run was stopped" if report.outcome == "stopped" else "the work is done"
    if supervisor.works_in_caller:
        return f"{done}, but its exporters were cut short by a second request"
    return f"{done}, but workers had to be ended by force ({rung})"


def failure(
    problem: str, supervisor: BootstrapSupervisor, prepared: Prepared, trace_id: str = ""
) -> str:
    """What ended a run before its time, free of secrets, and where its output is so far.

    Of a record at fault it says the trace, and the run: both are what ``sk replay`` asks for.
    """
    lines = [f"error: {redactor_of(prepared.config)(problem)}"]
    if trace_id:
        lines.append(f"  run {supervisor.snapshot().run_id}, trace {trace_id}")
    return "\n".join([*lines, *_partial(supervisor)])


def _partial(supervisor: BootstrapSupervisor) -> list[str]:
    try:
        return [f"  partial output: {path}" for path in supervisor.partial_outputs()]
    except KernelError as error:  # a sink that cannot say so must not hide why the run ended
        return [f"  partial output: unknown: {error}"]


def with_cause(error: KernelError) -> str:
    """The error, and the traceback of what a node or adapter raised, as a worker prints it.

    A file of dead letters and a reader that has gone are nobody's code: the error says all.
    """
    if error.__cause__ is None or isinstance(error, DeadLetterError) or has_no_reader(error):
        return str(error)
    return f"{error}\n{application_traceback(error.__cause__)}"
