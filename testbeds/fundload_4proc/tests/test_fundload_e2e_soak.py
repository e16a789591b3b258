"""What lasts: flat memory over a million records.

Ten runs in a row of 100 000 records, three ways, are in `test_parity_run.py`. Figures are printed;
`nox -s soak -- -s` shows them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from e2e_bench import Bench, Measured, run_options
from parity_runs import Runs

pytestmark = pytest.mark.soak

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
