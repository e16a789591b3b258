"""The verdict on a target, and the questions behind the rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench_figures import Figure
from bench_memory import Peak
from bench_pace import at_pace
from bench_results import Measured, Results
from bench_target_table import SHORT, TARGETS
from bench_targets import (
    Row,
    Target,
    Verdict,
    cost_growth,
    evaluate,
    judge,
    memory_growth,
    speed,
)


def nothing(_results: Results) -> tuple[Figure | None, str]:
    return None, ""


LEAST = Target("P0", "at least", 1.0, 0.8, nothing)
FLOORLESS = Target("P0", "no floor", 1.0, None, nothing)
MOST = Target("P0", "at most", 1.0, 1.3, nothing, most=True)


def at(value: float, noise: float | None = None) -> Figure:
    if noise is None:
        return Figure(value, None, None, 1)
    return Figure(value, value - noise, value + noise, 5)


@pytest.mark.parametrize(
    ("target", "figure", "verdict"),
    [
        (LEAST, at(1.0, 0.1), Verdict.MET),
        (LEAST, at(0.9, 0.0), Verdict.FLOOR),
        (LEAST, at(0.7, 0.05), Verdict.BELOW),
        (LEAST, at(0.7, 0.15), Verdict.FLOOR),
        (LEAST, at(0.1), Verdict.FLOOR),
        (LEAST, None, Verdict.UNKNOWN),
        (MOST, at(1.0, 0.1), Verdict.MET),
        (MOST, at(1.2, 0.0), Verdict.FLOOR),
        (MOST, at(1.5, 0.1), Verdict.BELOW),
        (MOST, at(1.5, 0.3), Verdict.FLOOR),
        (FLOORLESS, at(0.9, 0.0), Verdict.MISSED),
        (FLOORLESS, at(0.9, 0.2), Verdict.NOISE),
        (FLOORLESS, at(0.9), Verdict.MISSED),
    ],
)
def test_below_a_floor_is_only_what_is_below_it_by_more_than_the_noise(
    target: Target, figure: Figure | None, verdict: Verdict
) -> None:
    assert judge(target, figure) is verdict


@pytest.mark.parametrize(
    ("others", "cores", "verdict"),
    [
        ([0.0, 0.1, 0.9], 2, Verdict.BELOW),
        ([0.1, 0.9, 0.9], 2, Verdict.BUSY),
        ([0.9, 0.9, 0.9], 64, Verdict.BELOW),
        ([60.0, 60.0, 60.0], 64, Verdict.BUSY),
    ],
)
def test_nothing_is_below_a_floor_where_others_used_the_cores_that_it_wants(
    others: list[float], cores: int, verdict: Verdict
) -> None:
    """A neighbour halves what runs on both cores and not the yardstick, in all rounds alike."""
    results = Results((10, 110), others=others, cores=cores)
    asked = Target("P0", "", 1.0, 0.8, lambda _: (at(0.5, 0.1), ""))
    assert [row.verdict for row in evaluate(results, [asked])] == [verdict]


@pytest.mark.parametrize("binding", [True, False])
def test_only_a_binding_row_fails_a_session(binding: bool) -> None:
    target = Target("P0", "", 1.0, 0.8, nothing, binding=binding)
    assert Row(target, at(0.1, 0.0), "", Verdict.BELOW).failed is binding


def runs(*walls: float) -> list[Measured]:
    return [Measured(wall, wall, None, "output", "rejects") for wall in walls]


def results(**costs: tuple[float, float]) -> Results:
    """Systems with a start and a cost of a record each, over three sizes and rounds."""
    found = Results((10, 110, 1_110))
    for name, (start, cost) in costs.items():
        for records in found.records:
            found.runs[name, records] = runs(*[start + cost * records] * 3)
    return found


def test_speed_is_the_cost_of_the_other_by_that_of_the_system_at_the_most_records() -> None:
    figure, on = speed("ours", "theirs")(results(ours=(9.0, 0.1), theirs=(0.1, 0.2)))
    assert figure is not None
    assert figure.value == pytest.approx(2.0)
    assert on == "1,110 records, steady"


def test_speed_is_taken_at_the_most_records_that_both_ran() -> None:
    found = results(ours=(9.0, 0.1), theirs=(0.1, 0.2))
    del found.runs["theirs", 1_110]
    figure, on = speed("ours", "theirs")(found)
    assert figure is not None
    assert figure.value == pytest.approx(2.0)
    assert on == "110 records, steady"


def test_an_absent_system_leaves_its_reason_in_the_row() -> None:
    found = results(ours=(9.0, 0.1), theirs=(0.1, 0.2))
    found.drop("theirs", "no wheel")
    assert speed("ours", "theirs")(found) == (None, "theirs is absent: no wheel")
    assert not found.has("theirs", 110)


def test_cost_growth_compares_the_inside_cost_among_most_with_that_among_few() -> None:
    found = results(ours=(1.0, 0.1))
    for records, seconds in ((110, 11.0), (1_110, 222.0)):
        each = found.runs["ours", records]
        found.runs["ours", records] = [replace(run, inside_seconds=seconds) for run in each]
    figure, on = cost_growth("ours", 110)(found)
    assert figure is not None
    assert figure.value == pytest.approx(2.0)
    assert on == "110 to 1,110 records, inside"
    assert cost_growth("ours", 1_110)(found) == (None, "that takes 1,110 records and more")


def test_memory_growth_is_the_worst_of_the_processes_without_state() -> None:
    found = Results((10_000, 100_000, 1_000_000))
    for records, ingress, policy in ((100_000, 50.0, 60.0), (1_000_000, 55.0, 600.0)):
        sizes = {
            "supervisor": 60.0,
            "execution.ingress-0-1": ingress,
            "execution.policy-0-1": policy,
        }
        found.peaks["four", records] = Peak(1.0, None, 1.0, sizes)
    figure, _ = memory_growth(found)
    assert figure is not None
    assert figure.value == pytest.approx(1.1)


def test_every_row_has_a_verdict_when_nothing_was_measured() -> None:
    assert {row.verdict for row in evaluate(Results((10, 100)), TARGETS)} == {Verdict.UNKNOWN}


def test_the_short_form_looks_at_rows_with_floors_that_bind() -> None:
    assert {row.id for row in SHORT if row.floor is not None and row.binding} == {"P1", "P2"}


@pytest.mark.parametrize(
    ("seconds", "is_rate", "told"),
    [
        (2.0, False, "there; H has 0.50 of the pace that this was set at, so 1.00 s"),
        (2.0, True, "there; H has 0.50 of the pace that this was set at, so 4 s"),
    ],
)
def test_seconds_are_told_at_the_pace_that_the_targets_were_set_at_too(
    seconds: float, *, is_rate: bool, told: str
) -> None:
    """H, the program itself or else ours: 139 500 records a second of the 279 000."""
    found = Results((10_000, 1_000_000))
    found.runs["hand_loop", 1_000_000] = [Measured(8.0, 8.0, 2_000 / 279, "", "")]
    ask = at_pace(lambda _: (at(seconds), "there"), "s", is_rate=is_rate)
    assert ask(found) == (at(seconds), told)


def test_where_h_did_not_run_so_far_nothing_is_said_of_its_pace() -> None:
    ask = at_pace(lambda _: (at(1.0), "there"), "s")
    assert ask(Results((10, 100))) == (at(1.0), "there")
