"""The token bucket and its two laws."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sk_observability._events.bucket import RateLimit, full_bucket, take

SECOND = 1_000_000_000
LIMITS = st.builds(RateLimit, per_second=st.integers(0, 50), burst=st.integers(0, 20))
GAPS = st.lists(st.integers(0, SECOND), max_size=60)


def admitted(limit: RateLimit, gaps: list[int]) -> list[int]:
    """The times at which an event was within the limit, one event after each gap."""
    bucket, now, times = full_bucket(limit, 0), 0, []
    for gap in gaps:
        now += gap
        bucket, within = take(bucket, limit, now)
        if within:
            times.append(now)
    return times


@given(LIMITS, GAPS)
def test_no_stretch_of_time_holds_more_than_its_rate_and_one_burst(
    limit: RateLimit, gaps: list[int]
) -> None:
    times = admitted(limit, gaps)
    for first, start in enumerate(times):
        for count, end in enumerate(times[first:], 1):
            assert count * SECOND <= limit.burst * SECOND + (end - start) * limit.per_second


@given(st.integers(1, 1000), st.lists(st.integers(0, SECOND), max_size=60))
def test_events_no_closer_than_the_rate_are_all_within_the_limit(
    rate: int, extra: list[int]
) -> None:
    gaps = [-(-SECOND // rate) + more for more in extra]
    assert len(admitted(RateLimit(rate, burst=1), gaps)) == len(gaps)


def test_a_clock_that_steps_back_gives_nothing_and_is_followed_from_there() -> None:
    limit = RateLimit(per_second=1, burst=1)
    bucket, first = take(full_bucket(limit, 100 * SECOND), limit, 100 * SECOND)
    bucket, back = take(bucket, limit, 50 * SECOND)
    bucket, later = take(bucket, limit, 51 * SECOND)
    assert (first, back, later) == (True, False, True)
