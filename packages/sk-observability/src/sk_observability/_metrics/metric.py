"""What a metric is, and the moment of a run that all of them are taken from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import msgspec
from sk_kernel import Histogram, RunStatus

Signal = Literal["spans", "logs", "metrics"]
"""What an exporter passes on."""


class TelemetryCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of the items that one exporter was given, over all processes of a run.

    What is in none of the numbers waits to be sent. `dropped` is by reason.
    """

    signal: Signal
    exporter: str
    created: int = 0
    exported: int = 0
    dropped: dict[str, int] = {}


class MetricsSnapshot(msgspec.Struct, frozen=True):
    """A run at one moment: all metrics, for whatever exporter, are read from it.

    `time_ns` is that moment, in nanoseconds since the epoch.
    """

    time_ns: int
    status: RunStatus
    telemetry: tuple[TelemetryCounts, ...] = ()


class MetricKind(StrEnum):
    """How the values of a metric are to be read."""

    COUNTER = "counter"
    """A sum that only grows."""
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    """Of times, in the buckets of `sk_kernel.SECONDS_BOUNDS`."""


Sample = tuple[tuple[str, ...], float | Histogram]
"""The values of the labels, and what was measured."""

_UNITS: Final = {"s": "_seconds", "By": "_bytes"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name and unit in OpenTelemetry's terms, and how it is read from a snapshot.

    `samples` gives a value for each combination of label values, in the order of `labels`. A label
    has few values: groups, places of workers, and words of this project's own.
    """

    name: str
    kind: MetricKind
    unit: str
    help: str
    labels: tuple[str, ...]
    samples: Callable[[MetricsSnapshot], Iterable[Sample]]

    @property
    def prometheus_name(self) -> str:
        """The name in Prometheus, as OpenTelemetry's compatibility rules make it of the other."""
        base = self.name.replace(".", "_") + _UNITS.get(self.unit, "")
        return f"{base}_total" if self.kind is MetricKind.COUNTER else base
