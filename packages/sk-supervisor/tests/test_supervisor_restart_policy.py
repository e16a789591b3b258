"""When a failed worker is followed by another, and when nobody tries any more."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_config import RestartConfig
from sk_supervisor._lives.restart import GiveUp, Restart, RestartHistory, backoff, seeded_chance

policies = st.builds(
    RestartConfig,
    policy=st.just("on_failure"),
    intensity=st.integers(1, 5),
    period_seconds=st.integers(1, 100),
    backoff_seconds=st.floats(0, 5),
    backoff_max_seconds=st.floats(5, 30),
)


@pytest.mark.contract("PROC-04")
@given(policies, st.lists(st.floats(0, 50), max_size=40), st.integers())
def test_there_are_never_more_restarts_in_a_period_than_the_intensity(
    policy: RestartConfig, lives: list[float], seed: int
) -> None:
    history = RestartHistory(policy, Random(seed).random)  # noqa: S311
    restarts: list[float] = []
    now = 0.0
    for life in lives:
        now += life
        decision = history.failed(now)
        recent = [due for due in restarts if due > now - policy.period_seconds]
        if isinstance(decision, GiveUp):
            assert decision == (policy.intensity, policy.period_seconds)
            assert len(recent) == policy.intensity
            continue
        assert decision.attempt == len(recent) + 1
        now += decision.delay_seconds
        restarts.append(now)
    for last in restarts:
        window = [due for due in restarts if last - policy.period_seconds < due <= last]
        assert len(window) <= policy.intensity


def test_a_restart_counts_for_its_period_and_no_longer() -> None:
    policy = RestartConfig(
        policy="on_failure",
        intensity=1,
        period_seconds=60,
        backoff_seconds=0,
        backoff_max_seconds=1,
    )
    history = RestartHistory(policy, lambda: 0.0)
    assert isinstance(history.failed(100.0), Restart)
    assert isinstance(history.failed(159.5), GiveUp)
    assert isinstance(history.failed(160.0), Restart)


@given(policies, st.lists(st.integers(1, 10_000), min_size=2, max_size=10).map(sorted))
def test_the_backoff_grows_with_every_attempt_up_to_its_bound(
    policy: RestartConfig, attempts: list[int]
) -> None:
    waits = [backoff(policy, attempt) for attempt in attempts]
    assert waits == sorted(waits)
    assert all(policy.backoff_seconds <= w <= policy.backoff_max_seconds for w in waits)
    assert backoff(policy, 1) == policy.backoff_seconds


@given(policies, st.floats(0, 1, exclude_max=True))
def test_jitter_shortens_a_wait_by_half_at_most(policy: RestartConfig, chance: float) -> None:
    decision = RestartHistory(policy, lambda: chance).failed(0.0)
    assert isinstance(decision, Restart)
    assert policy.backoff_seconds / 2 <= decision.delay_seconds <= policy.backoff_seconds


@given(policies, st.text(), st.text())
def test_the_same_run_waits_the_same_times(policy: RestartConfig, run_id: str, group: str) -> None:
    def waits() -> list[Restart | GiveUp]:
        history = RestartHistory(policy, seeded_chance(run_id, group))
        return [history.failed(float(second)) for second in range(10)]

    assert waits() == waits()


def test_groups_of_a_run_and_runs_of_a_group_wait_differently() -> None:
    chances = {seeded_chance(run, group)() for run in ("r1", "r2") for group in ("a", "b")}
    assert len(chances) == 4


def test_a_failure_long_after_the_last_waits_as_the_first_one_did() -> None:
    policy = RestartConfig(
        policy="on_failure",
        intensity=2,
        period_seconds=10,
        backoff_seconds=1.0,
        backoff_max_seconds=60.0,
    )
    history = RestartHistory(policy, lambda: 0.0)
    assert history.failed(0.0) == Restart(1, 1.0)
    assert history.failed(2.0) == Restart(2, 2.0)
    assert history.failed(5.0) == GiveUp(2, 10)
    assert history.failed(100.0) == Restart(1, 1.0)


def test_giving_up_says_after_what() -> None:
    assert str(GiveUp(3, 60)) == "gave up after 3 restarts in 60 s"
    assert str(GiveUp(1, 5)) == "gave up after 1 restart in 5 s"
