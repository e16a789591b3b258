"""A worker that takes more memory than its group allows has failed, and is ended at once."""

from __future__ import annotations

import os
from math import inf
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.lifecycle import State
from sk_supervisor._lives.memory_limit import LOOK_SECONDS, MemoryLimits
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._system.resident import resident_bytes


def record(pid: int, limit: int | None, state: State = State.RUNNING) -> WorkerRecord:
    group = SimpleNamespace(max_rss_bytes=limit)
    return cast(
        "WorkerRecord",
        SimpleNamespace(group=group, process=SimpleNamespace(pid=pid), state=state),
    )


class Limits:
    def __init__(self, *records: WorkerRecord, weights: dict[int, int | None]) -> None:
        self.failed: list[tuple[int, Breakage]] = []
        self.weighed: list[int] = []

        def weigh(pid: int) -> int | None:
            self.weighed.append(pid)
            return weights[pid]

        def fail(failed: Any, breakage: Breakage) -> None:
            self.failed.append((failed.process.pid, breakage))

        roster = cast("Roster", list(records))
        self.alarm = MemoryLimits(roster, fail, weigh)


def test_without_a_limit_it_is_never_due() -> None:
    assert Limits(record(1, None), weights={}).alarm.due() is None


def test_who_is_over_its_limit_fails_with_the_numbers_and_no_other() -> None:
    limits = Limits(
        record(1, 100),
        record(2, 100),
        record(3, None),
        record(4, 100),
        weights={1: 100, 2: 101, 4: None},
    )
    assert limits.alarm.due() == -inf  # at once
    limits.alarm.ring(12.0)
    assert limits.weighed == [1, 2, 4]
    [(pid, breakage)] = limits.failed
    assert (pid, breakage.category) == (2, "memory")
    assert breakage.message == "uses 101 bytes of memory, over the limit of 100"
    assert limits.alarm.due() == 12.0 + LOOK_SECONDS


@pytest.mark.parametrize("state", [State.STOPPING, State.STOPPED, State.FAILED])
def test_who_is_on_its_way_out_is_not_looked_at(state: State) -> None:
    assert Limits(record(1, 1, state), weights={1: 2}).alarm.due() is None


def test_the_memory_of_this_process_can_be_read_and_that_of_none_cannot() -> None:
    used = resident_bytes(os.getpid())
    assert used is not None
    assert used > 1_000_000
    assert resident_bytes(2**22 + 1) is None
