"""What a run over processes did, from what its workers said of themselves."""

from __future__ import annotations

from sk_control import DrainOutcome
from sk_kernel import RunReport

from sk_supervisor._preflight import Prepared
from sk_supervisor._roster import WorkerRecord

PROFILE = "process_supervisor"


def report_of(
    prepared: Prepared, run_id: str, source: WorkerRecord, sink: WorkerRecord, seconds: float
) -> RunReport:
    """The report of a run whose sink has ended."""
    assert sink.drained is not None  # noqa: S101 - the run waited for it
    complete = sink.drained.outcome is DrainOutcome.COMPLETE
    return RunReport(
        run_id=run_id,
        scenario=prepared.config.scenario.name,
        profile=PROFILE,
        outcome="completed" if complete else "stopped",
        records_in=source.progress.records_in,
        records_out=sink.progress.records_out,
        batches=source.progress.batches,
        seconds=seconds,
        counters=dict(sink.drained.counters),
        partial_outputs=sink.unfinished_outputs(),
    )
