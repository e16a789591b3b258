"""A run's status in words and cells."""

from __future__ import annotations

import io
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sk_kernel import GroupStatus, RunStatus, Totals, WorkerStatus
from sk_kernel.runtime import SINK, SOURCE, ExecutionPlan, Graph, ReplyCounters
from sk_supervisor._operate.screen import print_status
from sk_supervisor._show import rows as words
from sk_supervisor._show.looks import Looks, StatusLook
from sk_supervisor._supervisor.report import ends_of

BUSY = WorkerStatus(
    worker_id="policy-0.3",
    pid=4_194_304,
    os_pid=4_194_304,
    alive=True,
    ready=True,
    state="stopping",
    incarnation=3,
    records_in=123_456_789,
    records_out=999_999,
    waiting=12_345,
    totals=Totals(dead_lettered=1_200, skipped=3, busy_seconds=7.5, idle_seconds=2.0),
    progress_age_seconds=0.25,
    age_seconds=86_399.0,
    rss_bytes=1_234_567_890,
)
FAILED = WorkerStatus(
    worker_id="out-0.1",
    pid=2,
    os_pid=None,
    alive=False,
    ready=False,
    state="failed",
    category="crash",
    ended="signal SIGKILL",
)
STATUS = RunStatus(
    run_id="20261121T045108Z-1a2b3c4d",
    scenario="fund_load",
    profile="process_supervisor",
    state="failed",
    ready=False,
    age_seconds=7_260.0,
    records_in=246_913_578,
    records_out=16,
    groups=(
        GroupStatus(name="policy", state="running", restarts=2, workers=(BUSY, BUSY)),
        GroupStatus(name="out", state="failed", workers=(FAILED,)),
    ),
    refusals={"data.replay": 3, "control.signature": 1},
    stop_reasons=("SIGTERM", "sk stop"),
    stop_forced=True,
)


def test_each_worker_has_a_row() -> None:
    rows = list(words.rows(StatusLook(STATUS, busy={"policy-0.3": 0.794})))
    busy = "policy-0.3 4194304 stopping 123M 999,999 79% 12,345 0.2s 23h 1.15G 2"
    assert [" ".join(row) for row in rows] == [
        busy,
        busy,
        "out-0.1 - failed 0 0 - 0 - - - 0",
    ]
    assert {len(row) for row in rows} == {len(words.COLUMNS)}


def test_what_is_out_of_the_ordinary_is_said_below() -> None:
    assert list(words.notes(STATUS)) == [
        "stop requested: SIGTERM, sk stop (by force)",
        "out-0.1 failed (crash), signal SIGKILL",
        "policy gave up records: dead-lettered 2,400, skipped 6",
        "refused: control.signature 1, data.replay 3",
    ]


def test_of_records_that_were_given_up_only_what_there_was_is_said() -> None:
    worker = msgspec.structs.replace(BUSY, totals=Totals(skipped=1))
    group = GroupStatus(name="policy", state="running", workers=(worker,))
    status = msgspec.structs.replace(STATUS, groups=(group,), refusals={}, stop_reasons=())
    assert list(words.notes(status)) == ["policy gave up records: skipped 1"]


def test_requests_are_shown_by_outcome_once_there_are_any() -> None:
    counters = ReplyCounters(registered=1_204, completed=1_203, failed=3, in_flight=1, refused=2)
    status = msgspec.structs.replace(
        STATUS, groups=(), refusals={}, stop_reasons=(), requests=counters
    )
    assert list(words.notes(status)) == ["requests: success 1,200, error 3, refused 2, in flight 1"]


def test_a_worker_that_has_followed_another_says_what_that_failed_of() -> None:
    again = msgspec.structs.replace(
        BUSY,
        last_failure="policy-0.2 failed (crash), signal SIGKILL",
        stuck=True,
        waiting=2,
        totals=Totals(),
    )
    group = GroupStatus(name="policy", state="running", restarts=2, workers=(again,))
    status = msgspec.structs.replace(STATUS, groups=(group,), refusals={}, stop_reasons=())
    assert list(words.notes(status)) == [
        "policy-0.3 is a restart: policy-0.2 failed (crash), signal SIGKILL",
        "policy-0.3 is stuck, with 2 batches waiting",
    ]


def test_the_headline_says_which_run_how_it_is_and_how_far() -> None:
    assert words.headline(StatusLook(STATUS, 8_213.4)).splitlines() == [
        "run 20261121T045108Z-1a2b3c4d: fund_load (process_supervisor)",
        "failed, not ready  2h  in 246,913,578  out 16  8,213/s",
    ]


def test_the_table_of_full_cells_fits_80_columns() -> None:
    out = io.StringIO()
    print_status(Console(file=out, width=80), StatusLook(STATUS, 8_213.4, {"policy-0.3": 1.0}))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("policy-0.3 4194304 stopping" in line for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (9.96, "9s"),
        (99.9, "99s"),
        (100, "1m"),
        (5_999, "99m"),
        (6_000, "1h"),
        (172_799, "47h"),
        (172_800, "2d"),
    ],
)
def test_an_age_has_the_unit_that_suits_it(seconds: float | None, text: str) -> None:
    assert words.age(seconds) == text


@given(seconds=st.floats(0, 86_400 * 999))
def test_an_age_has_four_characters_at_most(seconds: float) -> None:
    assert len(words.age(seconds)) <= 4


@given(number=st.integers(0, 10**18))
def test_a_count_has_seven_characters_at_most_and_is_right_to_three_figures(number: int) -> None:
    text = words.count(number)
    assert len(text) <= 7
    scale = {"M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}.get(text[-1])
    value = float(text[:-1]) * scale if scale else float(text.replace(",", ""))
    assert abs(value - number) <= 0.006 * number


@given(number=st.integers(0, 2**60))
def test_a_size_has_six_characters_at_most(number: int) -> None:
    assert len(words.size(number)) <= 6


def test_sizes_are_of_powers_of_1024() -> None:
    assert [words.size(n) for n in (None, 0, 1023, 1024, 46_792_704)] == [
        "-",
        "0 B",
        "1023 B",
        "1.00K",
        "44.6M",
    ]


@given(text=st.text())
def test_no_text_of_a_run_can_move_the_cursor(text: str) -> None:
    assert words.shown(text).isprintable()
    assert len(words.shown(text)) == len(text)


def test_the_rate_is_of_records_between_two_looks() -> None:
    looks = Looks()
    seen = ((1.0, 100), (3.0, 500), (3.0, 500), (4.0, 100))  # the last one behind a restart
    rates = [
        looks.at(msgspec.structs.replace(STATUS, age_seconds=at, records_in=records)).rate
        for at, records in seen
    ]
    assert rates == [None, 200.0, None, 0.0]


def told(*spent: float, incarnation: int = 1, alive: bool = True) -> RunStatus:
    """A run whose one worker has told of these times: busy, idle, held back."""
    times = dict(zip(("busy_seconds", "idle_seconds", "backpressured_seconds"), spent, strict=True))
    worker = msgspec.structs.replace(
        BUSY, worker_id=f"a-0.{incarnation}", alive=alive, totals=Totals(**times)
    )
    return msgspec.structs.replace(
        STATUS, groups=(GroupStatus(name="a", state="running", workers=(worker,)),)
    )


def test_a_worker_is_as_busy_as_it_has_told_of_since_the_look_before() -> None:
    looks = Looks()
    seen = [told(0.0, 0.0, 0.0), told(6.0, 2.0, 2.0), told(6.5, 3.0, 2.5)]
    assert [looks.at(each).busy for each in seen] == [{}, {"a-0.1": 0.6}, {"a-0.1": 0.25}]


def test_a_worker_that_has_told_of_no_time_since_is_as_busy_as_it_was() -> None:
    looks = Looks()
    looks.at(told(6.0, 2.0, 2.0))
    assert looks.at(told(6.0, 2.0, 2.0)).busy == {"a-0.1": 0.6}


def test_a_restarted_worker_goes_on_with_the_times_of_its_place() -> None:
    looks = Looks()
    looks.at(told(6.0, 2.0, 2.0))
    assert looks.at(told(7.0, 2.0, 2.0, incarnation=2)).busy == {"a-0.2": 1.0}


def test_a_worker_that_has_ended_is_not_busy() -> None:
    assert Looks().at(told(6.0, 2.0, 2.0, alive=False)).busy == {}


def test_records_out_are_those_that_the_sink_s_group_has_written() -> None:
    """And not the most of any group: one that hangs behind another has written none of them."""
    vertices = {SOURCE: "in", "work": "mid", SINK: "out"}
    plan = ExecutionPlan(cast("Graph", None), vertices, ())
    done = {"in": (16, 16), "mid": (15, 900), "out": (9, 3)}
    groups = [
        GroupStatus(
            name=name,
            state="running",
            workers=(msgspec.structs.replace(BUSY, source_records=taken, records_out=given),),
        )
        for name, (taken, given) in done.items()
    ]
    assert ends_of(plan, groups) == (16, 3)
    assert ends_of(plan, groups[:1]) == (16, 0)


def test_what_any_group_is_done_with_has_been_read_though_the_source_has_not_said_so() -> None:
    plan = ExecutionPlan(cast("Graph", None), {SOURCE: "in", SINK: "out"}, ())
    late, soon = (
        GroupStatus(
            name=name,
            state="running",
            workers=(msgspec.structs.replace(BUSY, source_records=n, records_out=n),),
        )
        for name, n in (("in", 16), ("out", 20))
    )
    assert ends_of(plan, [late, soon]) == (20, 20)
