"""The one worker of the memory profile, as a status has it: this process."""

from __future__ import annotations

import os

from sk_kernel import Progress, Totals, WorkerStatus

from sk_supervisor._system.resident import resident_bytes

WORKER = "memory-0.1"


def worker_status(
    said: Progress,
    state: str,
    *,
    age_seconds: float,
    progress_age_seconds: float | None,
    category: str,
    totals: Totals,
) -> WorkerStatus:
    """It, with the pid of this process."""
    return WorkerStatus(
        worker_id=WORKER,
        pid=os.getpid(),
        os_pid=os.getpid(),
        alive=True,
        ready=state in ("ready", "running"),
        state=state,
        records_in=said.records_in,
        records_out=said.records_out,
        source_records=said.source_records,
        batches=said.batches,
        dead_lettered=said.dead_lettered,
        skipped=said.skipped,
        progress_age_seconds=progress_age_seconds,
        age_seconds=age_seconds,
        rss_bytes=resident_bytes(os.getpid()),
        category=category,
        totals=totals,
    )
