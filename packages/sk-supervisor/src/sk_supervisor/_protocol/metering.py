"""Conversion of a worker's measurements to a control message, and to the totals of its status."""

from __future__ import annotations

from sk_control import Metering
from sk_kernel import Histogram, Progress, Totals


def metering_of(measured: Totals, cpu_seconds: float, credit: int | None) -> Metering:
    """The message for ``measured``, which a worker sends with its progress."""
    return Metering(
        busy_seconds=measured.busy_seconds,
        idle_seconds=measured.idle_seconds,
        backpressured_seconds=measured.backpressured_seconds,
        cpu_seconds=cpu_seconds,
        batch_counts=measured.batch.counts,
        batch_seconds=measured.batch.sum,
        latency_counts=measured.latency.counts,
        latency_seconds=measured.latency.sum,
        credit=credit,
    )


def totals_of(said: Metering, done: Progress, dead_lettered: int = 0, skipped: int = 0) -> Totals:
    """The totals of one incarnation, from its messages."""
    return Totals(
        records_in=done.records_in,
        records_out=done.records_out,
        dead_lettered=dead_lettered,
        skipped=skipped,
        busy_seconds=said.busy_seconds,
        idle_seconds=said.idle_seconds,
        backpressured_seconds=said.backpressured_seconds,
        cpu_seconds=said.cpu_seconds,
        batch=Histogram(said.batch_counts, said.batch_seconds),
        latency=Histogram(said.latency_counts, said.latency_seconds),
    )
