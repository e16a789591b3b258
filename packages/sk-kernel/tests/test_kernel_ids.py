"""Trace ids and sampling: derived, not drawn; the same in every process; even over any stretch."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel.runtime import TraceIds, span_id

RATIOS = st.floats(0, 1) | st.sampled_from([0.0, 1.0, 0.5, 0.01, 1e-6, 1e-19, 0.381, 0.618])


@pytest.mark.contract("P5PRE-ENV-01")
@pytest.mark.parametrize("seed", ["0", "1"])
def test_another_process_derives_the_same_ids_and_samples(seed: str) -> None:
    program = (
        "from sk_kernel.runtime import TraceIds, span_id; ids = TraceIds('run', 0.3);"
        "print(ids.of(7), span_id(ids.of(7), 'n', (7, 1)), sorted(ids.sampled(1, 50)))"
    )
    env = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    ids = TraceIds("run", 0.3)
    here = f"{ids.of(7)} {span_id(ids.of(7), 'n', (7, 1))} {sorted(ids.sampled(1, 50))}"
    assert done.stdout.strip() == here


def test_ids_have_the_forms_of_trace_context() -> None:
    trace = TraceIds("run").of(1)
    assert len(trace) == 32
    assert len(span_id(trace, "node", 1)) == 16
    assert int(trace, 16) != 0
    assert trace == trace.lower()


def test_records_runs_nodes_and_keys_have_different_ids() -> None:
    traces = {TraceIds(run).of(n) for run in ("a", "b") for n in range(1, 500)}
    assert len(traces) == 998
    spans = {span_id("0" * 31 + "7", node, key) for node in "ab" for key in (1, (1,), (1, 0), 11)}
    assert len(spans) == 8


@given(run=st.text(max_size=5), ratio=RATIOS, first=st.integers(1, 10**12))
def test_sampled_are_those_whose_low_bits_are_below_the_ratio(
    run: str, ratio: float, first: int
) -> None:
    ids = TraceIds(run, ratio)
    last = first + 300
    bound = round(ratio * 2**64)
    expected = {n for n in range(first, last + 1) if int(ids.of(n)[16:], 16) < bound}
    assert ids.sampled(first, last) == expected


@given(run=st.text(max_size=5), ratio=RATIOS, cut=st.integers(0, 1000))
def test_sampling_is_the_same_whatever_the_batches(run: str, ratio: float, cut: int) -> None:
    ids = TraceIds(run, ratio)
    assert ids.sampled(1, cut) | ids.sampled(cut + 1, 1000) == ids.sampled(1, 1000)


@pytest.mark.parametrize("ratio", [0.001, 0.01, 0.1, 0.5, 0.9])
def test_the_ratio_is_honoured_in_every_stretch(ratio: float) -> None:
    ids = TraceIds("run", ratio)
    for first in (1, 10_001, 5_000_001):
        assert abs(len(ids.sampled(first, first + 9_999)) - 10_000 * ratio) <= 5


def test_no_ratio_samples_none_and_the_whole_ratio_all() -> None:
    assert TraceIds("run", 0.0).sampled(1, 100) == frozenset()
    assert TraceIds("run", 1.0).sampled(1, 100) == frozenset(range(1, 101))
    assert TraceIds("run", 0.5).sampled(5, 4) == frozenset()
    assert TraceIds("run", 2**-64).sampled(1, 1 << 40) == frozenset()
