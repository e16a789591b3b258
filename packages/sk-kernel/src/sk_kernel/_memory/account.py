"""The counts of a run in the memory profile: while it runs, and in its report."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from sk_kernel._adapters.sink import SinkDriver
from sk_kernel._batch.batch import Batch
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.losses import Losses
from sk_kernel._measure.meter import Meter
from sk_kernel._measure.totals import Totals
from sk_kernel.ports import Progress, RunReport

MEMORY: Final = "memory"
"""The name of the profile and of its only group."""


class Account:
    """Counts the records of one run. ``read`` is how many the source has given to the nodes."""

    def __init__(self, identity: Identity, meter: Meter, sink: SinkDriver, losses: Losses) -> None:
        self._identity, self._meter = identity, meter
        self._sink, self._losses = sink, losses
        self.read = 0

    def totals(self) -> Totals:
        """Return the measurements so far. Safe in any thread."""
        return msgspec.structs.replace(
            self._meter.totals(),
            records_in=self.read,
            records_out=self._sink.records,
            dead_lettered=self._losses.dead_lettered,
            skipped=self._losses.skipped,
            cpu_seconds=time.process_time(),
        )

    def progress(self, batches: int, state: str) -> Progress:
        """Return how far the run has come."""
        return Progress(
            group=MEMORY,
            records_in=self.read,
            records_out=self._sink.records,
            batches=batches,
            state=state,
            dead_lettered=self._losses.dead_lettered,
            skipped=self._losses.skipped,
            source_records=self.read,
        )

    def report(self, last: Batch, seconds: float, partial_outputs: tuple[str, ...]) -> RunReport:
        """Return the report of a run that ended with the batch ``last``, without the counters."""
        return RunReport(
            run_id=self._identity.run_id,
            scenario=self._identity.scenario,
            profile=MEMORY,
            outcome="completed" if last.complete else "stopped",
            records_in=last.last,
            records_out=self._sink.records,
            batches=last.number - 1,
            seconds=seconds,
            counters={},
            partial_outputs=partial_outputs,
            dead_lettered=self._losses.dead_lettered,
            skipped=self._losses.skipped,
        )
