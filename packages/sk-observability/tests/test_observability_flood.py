"""A flood of lifecycle events: whatever comes, in whatever time, the rails hold and count."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import LifecycleEvent
from sk_observability import (
    ExportFailedError,
    Level,
    LifecycleLog,
    Outlet,
    RateLimit,
)

SECOND = 1_000_000_000
LIMITS: dict[Level, RateLimit] = {"info": RateLimit(50, 100), "debug": RateLimit(5, 10)}
RING = 40
WAVES = st.lists(
    st.tuples(st.sampled_from(["info", "debug"]), st.integers(0, 300), st.integers(0, 3 * SECOND)),
    max_size=12,
)


class Leaky:
    """An exporter that loses every third event, and keeps the rest."""

    def __init__(self) -> None:
        self.calls = 0
        self.kept: list[LifecycleEvent] = []

    def export(self, items: Sequence[LifecycleEvent]) -> None:
        self.calls += 1
        if self.calls % 3 == 0:
            raise ExportFailedError("disk_full", 0)
        self.kept.extend(items)

    def close(self) -> None:
        """Nothing is held."""


def flooded(waves: Sequence[tuple[Level, int, int]]) -> tuple[LifecycleLog, Leaky, float]:
    """A log after a flood, its exporter, and how many seconds the flood took."""
    now, leaky = SECOND, Leaky()
    outlets = [Outlet("leaky", leaky)]
    log = LifecycleLog(
        "r", outlets, level="debug", ring_size=RING, limits=LIMITS, clock=lambda: now
    )
    for level, size, pause in waves:
        for _ in range(size):
            log.emit("flood", level=level)
        now += pause
    return log, leaky, (now - SECOND) / SECOND


@given(waves=WAVES)
def test_every_event_of_a_flood_is_recorded_or_counted_as_lost(
    waves: Sequence[tuple[Level, int, int]],
) -> None:
    log = flooded(waves)[0]
    counts = log.counts()
    assert counts.recorded + sum(counts.flooded.values()) == sum(size for _, size, _ in waves)
    assert len(log.events()) == min(counts.recorded, RING)
    assert counts.fell_out == counts.recorded - len(log.events())


@given(waves=WAVES)
def test_no_more_reach_ring_and_exporter_than_burst_and_rate_allow(
    waves: Sequence[tuple[Level, int, int]],
) -> None:
    log, leaky, seconds = flooded(waves)
    allowed = sum(limit.burst + limit.per_second * seconds for limit in LIMITS.values())
    counts = log.counts()
    assert counts.recorded <= allowed
    assert leaky.calls == counts.recorded
    (exporter,) = counts.exporters
    assert (exporter.created, exporter.exported) == (counts.recorded, len(leaky.kept))
    assert sum(exporter.dropped.values()) == counts.recorded - len(leaky.kept)


@given(waves=WAVES)
def test_the_numbers_of_what_is_recorded_have_no_gap(
    waves: Sequence[tuple[Level, int, int]],
) -> None:
    log = flooded(waves)[0]
    numbers = [event.sequence for event in log.events()]
    assert numbers == list(
        range(log.counts().recorded - len(numbers) + 1, log.counts().recorded + 1)
    )


@pytest.mark.contract("P5PRE-LOG-03")
@given(waves=WAVES)
def test_the_last_event_of_a_flooded_log_says_how_many_went_nowhere(
    waves: Sequence[tuple[Level, int, int]],
) -> None:
    """No rate keeps it out, it is said once, and a log that lost nothing says nothing."""
    log = flooded(waves)[0]
    before = log.counts()
    log.close()
    log.close()
    told = [event.fields for event in log.events() if event.name == "events_flooded"]
    assert told == ([before.flooded] if before.flooded else [])
    assert log.counts().recorded == before.recorded + len(told)
    assert log.counts().flooded == before.flooded
