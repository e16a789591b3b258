"""What a worker says of its work in numbers: a part of its progress."""

from __future__ import annotations

from sk_control import _fields as check
from sk_control._value import value


@value(frozen=True, slots=True)
class Metering:
    """What a worker has measured of its work since it began; part of its `Progress`.

    The counts are of batches, by bucket of their time, the seconds all their times together:
    `batch` for that in work here, `latency`, at the source only, for that until everybody was done.
    `credit` is how many batches its source may read before one is done with, if it has a source.
    """

    records_in: int = 0
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
        check.whole("progress", "metering.records_in", self.records_in)
        for kind in ("busy", "idle", "backpressured", "cpu", "batch", "latency"):
            check.span("progress", f"metering.{kind}_seconds", getattr(self, f"{kind}_seconds"))
        check.buckets("progress", "metering.batch_counts", self.batch_counts)
        check.buckets("progress", "metering.latency_counts", self.latency_counts)
        if self.credit is not None:
            check.whole("progress", "metering.credit", self.credit)
