"""The table of metrics and the bounds of histograms, as the documentation prints them."""

from __future__ import annotations

from sk_kernel import SECONDS_BOUNDS
from sk_observability import METRICS, Metric


def metric_table() -> str:
    """Every metric, in the order of the code."""
    rows = [
        "| name for Prometheus, for OpenTelemetry | kind, unit | labels | meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join([*rows, *map(_row, METRICS)])


def metric_bounds() -> str:
    """The bounds of every histogram, in order."""
    return ", ".join(f"{bound:g}" for bound in SECONDS_BOUNDS)


def _row(metric: Metric) -> str:
    unit = f", `{metric.unit}`" if metric.unit else ""
    cells = (
        f"`{metric.prometheus_name}`<br>`{metric.name}`",
        f"{metric.kind}{unit}",
        ", ".join(f"`{label}`" for label in metric.labels),
        metric.help,
    )
    return f"| {' | '.join(cells)} |"
