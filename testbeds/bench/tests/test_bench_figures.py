"""From times to figures."""

from __future__ import annotations

import statistics

import pytest
from bench_figures import LEAST_ROUNDS, Figure, figure, paired_ratios, steady_costs
from hypothesis import given, settings
from hypothesis import strategies as st

seconds = st.floats(min_value=1e-3, max_value=1e3)
rounds = st.lists(seconds, min_size=LEAST_ROUNDS, max_size=9)


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=5), st.integers(1, 10**6))
def test_what_start_and_end_cost_is_not_in_the_steady_cost(
    runs: list[tuple[float, float]], more: int
) -> None:
    small = [start for start, _ in runs]
    large = [start + per_record * more for start, per_record in runs]
    for cost, (_, per_record) in zip(steady_costs(large, small, more), runs, strict=True):
        assert cost == pytest.approx(per_record, rel=1e-3)


def test_a_larger_run_that_took_no_longer_has_no_cost() -> None:
    assert steady_costs([1.0, 2.0], [1.0, 1.0], 10) == [None, 0.1]


def test_ratios_are_taken_within_a_round_and_skip_one_without_both() -> None:
    assert paired_ratios([2.0, None, 9.0], [1.0, 1.0, 3.0]) == [2.0, 3.0]


@settings(max_examples=20)
@given(rounds)
def test_the_noise_band_encloses_the_median_and_lies_within_the_rounds(values: list[float]) -> None:
    found = figure(values)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.value == statistics.median(values)
    assert min(values) <= found.low <= found.high <= max(values)


@settings(max_examples=20)
@given(rounds)
def test_the_same_rounds_have_the_same_noise(values: list[float]) -> None:
    assert figure(values) == figure(values)


def test_rounds_that_agree_have_no_noise() -> None:
    assert figure([0.5] * 5) == Figure(0.5, 0.5, 0.5, 5)


def test_of_fewer_than_three_rounds_no_noise_is_told() -> None:
    assert figure([1.0, 2.0]) == Figure(1.5, None, None, 2)


def test_no_rounds_have_no_figure() -> None:
    assert figure([]) is None


def test_the_ends_of_a_band_change_places_when_a_cost_becomes_a_rate() -> None:
    assert Figure(0.5, 0.25, 1.0, 3).inverted() == Figure(2.0, 1.0, 4.0, 3)
