"""What repeats or lasts: flat memory over a million records, and the time of a short run.

Ten runs in a row of 100 000 records, three ways, are in `test_parity_run.py`. Figures are printed;
`nox -s soak -- -s` shows them.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import pytest
from e2e_bench import Bench, Measured, run_options
from parity_runs import Runs

pytestmark = pytest.mark.soak

SHORT_RUN_SECONDS = 1.3
SHORT_RUNS = 7
GROWTH = 1.2


def generated(bench: Bench, records: int) -> Path:
    return Runs(bench.folder, timeout_seconds=600).generate(records, seed=1)


def say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


def measured(bench: Bench, records: int) -> Measured:
    options = run_options("exp_mp", "multiprocess", output="out", rejects="rejects")
    source = str(generated(bench, records))
    began = time.monotonic()
    ended, memory = bench.measure(*options, "--input", source, "--quiet", seconds=600)
    seconds = time.monotonic() - began
    assert (ended.code, ended.said) == (0, "")
    assert bench.read("out").count(b"\n") == records
    say(
        f"{records:,} records: supervisor {memory.own_mib:.1f} MiB,"
        f" largest worker {memory.largest_child_mib:.1f} MiB, {seconds:.1f} s"
    )
    return memory


def test_the_supervisors_memory_is_flat_over_a_million_records(bench: Bench) -> None:
    small, large = (measured(bench, records) for records in (100_000, 1_000_000))
    assert large.own_mib <= GROWTH * small.own_mib


def test_a_thousand_records_over_four_processes_take_little_time(bench: Bench) -> None:
    """The whole process, from its start to its end; the median, for the machine's sake."""
    source = str(generated(bench, 1_000))
    options = run_options("exp_mp", "multiprocess", input=source, output="out")
    seconds = []
    for _ in range(SHORT_RUNS):
        began = time.monotonic()
        assert bench.run(*options, "--quiet").code == 0
        seconds.append(time.monotonic() - began)
    say(f"1,000 records: {', '.join(f'{each:.2f}' for each in sorted(seconds))} s")
    assert statistics.median(seconds) < SHORT_RUN_SECONDS
