"""The report of a run over processes, from the reports of its workers."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sk_control import DrainOutcome
from sk_kernel import GroupStatus, Progress, RunReport, Totals
from sk_kernel.runtime import SINK, DeadLetterFile, ExecutionPlan, Share

from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._plan.supervisors import PROCESS_SUPERVISOR


def report_of(
    prepared: Prepared,
    run_id: str,
    *,
    source: WorkerRecord,
    sink: WorkerRecord,
    seconds: float,
    totals: Iterable[Totals] = (),
) -> RunReport:
    """Return the report of a run whose sink has ended.

    :param totals: of every place, including the workers that have failed.
    """
    every = list(totals)
    complete, end = sink.outcome is DrainOutcome.COMPLETE, sink.sink_end
    return RunReport(
        run_id=run_id,
        scenario=prepared.config.scenario.name,
        profile=PROCESS_SUPERVISOR,
        outcome="completed" if complete else "stopped",
        records_in=max(source.progress.source_records, end.source_records if end else 0),
        records_out=max(sink.progress.records_out, end.records_out if end else 0),
        batches=source.progress.batches,
        seconds=seconds,
        counters=dict(sink.drained.counters) if sink.drained else {},
        partial_outputs=sink.unfinished_outputs(),
        dead_lettered=sum(done.dead_lettered for done in every),
        skipped=sum(done.skipped for done in every),
    )


def unsummed(sink: WorkerRecord) -> str:
    """Return a warning: the sink ended, but its worker ended before it sent the counters."""
    why = sink.failure_line() or f"did not wait for worker {sink.worker_id}"
    return f"warning: no summary from the sink: {why}"


def ends_of(plan: ExecutionPlan, groups: Iterable[GroupStatus]) -> tuple[int, int]:
    """Return the numbers of records given by the source and taken by the sink so far.

    They are counted as in the report. Workers report at different times: the source has given each
    record that any worker has passed.
    """
    workers = {group.name: group.workers for group in groups}
    done = (w.source_records for several in workers.values() for w in several)
    given = max(done, default=0)
    return given, sum(w.records_out for w in workers.get(plan.group_of[SINK], ()))


def with_letters(report: RunReport, letters: DeadLetterFile, share: Share) -> RunReport:
    """Commit the dead letters of a completed or drained run; return the report with their number.

    :param share: returns, for a worker and a node, the records whose dead letters belong to the
        output.
    :raises DeadLettersLeftError: when they cannot be committed, and the sink has committed.
    :raises DeadLetterError: when they cannot be committed, and the sink has not.
    """
    with letters.after_output(committed=report.outcome == "completed"):
        count = letters.stage(share)
        letters.commit()
    return msgspec.structs.replace(report, dead_lettered=count)


def progress_of(worker: WorkerRecord) -> Progress:
    """Return the progress of a worker, with its state."""
    return msgspec.structs.replace(worker.progress, state=str(worker.state))
