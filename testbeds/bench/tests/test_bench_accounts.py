"""What a run says of its own processor time is read as it is said."""

from __future__ import annotations

import pytest
from bench_accounts import Account, account_of
from sk_kernel.runtime import Stage
from sk_supervisor._profile.measures import ProcessProfile
from sk_supervisor._profile.start_steps import Start
from sk_supervisor._profile.table import as_text

START = Start(began=1, configured=1, gate=1, spawned={}, ready={})


def said(threads: dict[str, float]) -> str:
    worker = ProcessProfile(
        *("in-0.1", "in", 1_000, 2.0, 0.005),
        [Stage("frame sign", 3, 0.0002, 0.1), Stage("frame verify", 3, 0.0003, 0.1)],
        threads={"hub relay": 0.001},  # no hub's, whatever it is called
        own=500,
    )
    other = ProcessProfile("out-0.1", "out", 1_000, 2.0, 0.005, [Stage("frame verify", 1, 0.0001)])
    supervisor = ProcessProfile("supervisor", "", 1_000, 2.0, 0.004, [], threads=threads)
    return "completed: x\n" + as_text([worker, other, supervisor], START)


def test_signing_is_that_of_all_workers_and_beside_is_what_the_hub_has_not_done() -> None:
    account = account_of(said({"hub relay": 0.003, "MainThread": 0.0005}))
    assert account == pytest.approx(Account(signing=0.6, beside=1.0))


def test_where_threads_are_not_told_apart_nothing_is_beside_the_hub() -> None:
    account = account_of(said({}))
    assert account is not None
    assert account.beside is None


def test_a_run_that_was_not_profiled_gives_no_account() -> None:
    assert account_of("completed: x, run y\n  records in 10, out 10, 1.00 s, 10/s\n") is None


def test_the_end_of_what_was_said_is_no_account() -> None:
    assert account_of(said({"hub relay": 0.003})[-200:]) is None
