"""What a worker says of its work in numbers: a part of its progress."""

from __future__ import annotations

from sk_control import _fields as check
from sk_control._value import value


@value(frozen=True, slots=True)
class Metering:
    """What a worker has measured of its work since it began; part of its `Progress`.

    `batch_counts` is a histogram of the time that its batches were in work, `batch_seconds` the sum
    of those times. `latency_counts` and `latency_seconds` are the same for the time from the
    reading of a batch until every worker was done with it; only the source's worker has them.
    `credit` is how many more batches its source may read now; None where it has no source.
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
