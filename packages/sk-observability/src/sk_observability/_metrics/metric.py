"""The description of a metric, and the snapshot of a run that all metrics are read from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import msgspec
from sk_kernel import Histogram, RunStatus

Signal = Literal["spans", "logs", "metrics"]
"""The sort of items that an exporter exports."""


class TelemetryCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The outcomes of the items passed to one exporter, summed over all processes of a run.

    `created` items that are neither exported nor dropped wait to be sent. `dropped` is by reason.
    """

    signal: Signal
    exporter: str
    created: int = 0
    exported: int = 0
    dropped: dict[str, int] = {}


class MetricsSnapshot(msgspec.Struct, frozen=True):
    """The state of a run at one moment, from which all metrics are read, for every exporter.

    `time_ns` is that moment, in nanoseconds since the epoch.
    """

    time_ns: int
    status: RunStatus
    telemetry: tuple[TelemetryCounts, ...] = ()


class MetricKind(StrEnum):
    """How the values of a metric are interpreted."""

    COUNTER = "counter"
    """A sum that only grows."""
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    """A distribution of times, in the buckets of `sk_kernel.SECONDS_BOUNDS`."""


Sample = tuple[tuple[str, ...], float | Histogram]
"""The values of the labels, and the measured value."""

_UNITS: Final = {"s": "_seconds", "By": "_bytes"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name and unit in OpenTelemetry's terms, and how it is read from a snapshot.

    `samples` returns a value for each combination of label values, in the order of `labels`. A
    label has few values: groups, places of workers, and fixed words.
    """

    name: str
    kind: MetricKind
    unit: str
    help: str
    labels: tuple[str, ...]
    samples: Callable[[MetricsSnapshot], Iterable[Sample]]

    @property
    def prometheus_name(self) -> str:
        """The Prometheus name, derived from `name` by OpenTelemetry's compatibility rules."""
        base = self.name.replace(".", "_") + _UNITS.get(self.unit, "")
        return f"{base}_total" if self.kind is MetricKind.COUNTER else base
