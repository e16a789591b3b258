"""Requests beside whole jobs: a process of its own asks, and says what it measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench_probe import told_by

PROBE = Path(__file__).with_name("request_probe.py")


@dataclass(frozen=True)
class Asked:
    """What was measured of so many requests; the last figure with ``in_flight`` at any time."""

    requests: int
    in_flight: int
    workers: int
    median_ms: float
    p99_ms: float
    per_second: float


def ask(requests: int, timeout_seconds: float) -> Asked:
    """Run the probe.

    :raises ProbeFailedError: when it fails, or takes too long.
    """
    count = ("--requests", str(requests))
    return Asked(**told_by(PROBE, *count, what="requests", timeout_seconds=timeout_seconds))
