"""Spans of every record to a real OTLP receiver: the seconds that they add to a short run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_figures import Figure, figure
from bench_probe import told_by

PROGRAM = Path(__file__).parents[1] / "receivers" / "otlp_cost.py"
RECORDS = 1_000


@dataclass(frozen=True)
class Sent:
    """What was measured of runs of so many records, all of them traced.

    ``added_seconds`` are those that a run to a receiver took longer than one of the same round
    without exporters, round by round; ``lost`` the spans that did not arrive, of all rounds; both
    by protocol. ``spans`` are those of one run.
    """

    records: int
    spans: int
    added_seconds: Mapping[str, Sequence[float]]
    lost: Mapping[str, int]

    def added(self, protocol: str) -> Figure | None:
        """Give the median of the seconds that a protocol added."""
        return figure(self.added_seconds[protocol])


def send(rounds: int, timeout_seconds: float) -> Sent:
    """Run the program.

    :raises ProbeFailedError: when it fails, or takes too long.
    """
    options = ("--json", "--records", str(RECORDS), "--rounds", str(rounds))
    return Sent(**told_by(PROGRAM, *options, what="OTLP", timeout_seconds=timeout_seconds))
