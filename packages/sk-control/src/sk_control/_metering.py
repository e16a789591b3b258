"""The measurements that a worker reports with its progress."""

from __future__ import annotations

from sk_control import _fields as check
from sk_control._value import value


@value(frozen=True, slots=True)
class Metering:
    """A worker's measurements since its start; part of its `Progress`.

    `batch_counts` is a histogram of the processing times of batches, `batch_seconds` the sum of
    these times. `latency_counts` and `latency_seconds` are the same for the time from the reading
    of a batch until every worker was done with it; only the source's worker has them. `credit` is
    how many batches its source may read before another is acknowledged; None without a source.
    """

    busy_seconds: float = 0.0
    idle_seconds: float = 0.0
    backpressured_seconds: float = 0.0
    cpu_seconds: float = 0.0
    batch_counts: tuple[int, ...] = ()
    batch_seconds: float = 0.0
    latency_counts: tuple[int, ...] = ()
    latency_seconds: float = 0.0
    credit: int | None = None

    def __post_init__(self) -> None:
        for kind in ("busy", "idle", "backpressured", "cpu", "batch", "latency"):
            check.duration("progress", f"metering.{kind}_seconds", getattr(self, f"{kind}_seconds"))
        check.buckets("progress", "metering.batch_counts", self.batch_counts)
        check.buckets("progress", "metering.latency_counts", self.latency_counts)
        if self.credit is not None:
            check.integer("progress", "metering.credit", self.credit)
