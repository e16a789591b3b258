"""What a run says of its own processor time is read as it is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench_accounts import Account, account_of
from bench_four import Four

SAID = """completed: fundload_exp_mp (process_supervisor), run r1
  records in 1,000, out 1,000, 0.01 s, 100,000/s
where a record's time goes: microseconds for each record that was read
                                              cpu     blocked       calls
all processes
  in all                                   14,000
in-0.1: 500 of 1,000 records in 2.00 s, processor 0 %
  frame sign                            0.200    0.100     3,000
  frame verify                          0.300    0.100         3
  trace spans                           0.400    0.100         9
  thread export lines                   0.050
  thread hub relay                      1.000
  in all                                5.000
out-0.1: 1,000 records in 2.00 s, processor 0 %
  frame verify                          0.100    0.000         1
  in all                                5.000
supervisor: 1,000 records in 2.00 s, processor 0 %
  thread hub relay                      3.000
  thread export lines                   0.300
  thread MainThread                     0.200
  everything else                       0.500
  in all                                4.000
how the run came up: milliseconds
  time to gate, from the start of the process                  950.0
"""


def test_watching_is_spans_of_workers_and_all_that_the_supervisor_s_hub_has_not_done() -> None:
    assert account_of(SAID) == pytest.approx(Account(signing=0.6, watching=0.45 + 1.0))


def test_where_threads_are_not_told_apart_nothing_is_beside_the_hub() -> None:
    account = account_of(SAID.replace("  thread hub relay", "  something"))
    assert account is not None
    assert account.watching is None


def test_a_run_that_was_not_profiled_gives_no_account() -> None:
    assert account_of("\n".join(SAID.splitlines()[:2])) is None


def test_the_end_of_what_was_said_is_no_account() -> None:
    assert account_of(SAID[-400:]) is None


def test_what_a_profiled_run_says_is_an_account(tmp_path: Path) -> None:
    ended = Four(tmp_path, 1, 300.0).run("four", 100, options=["--profile-run"])
    account = account_of(ended.stderr)
    assert account is not None
    assert account.signing > 0
    assert (account.watching is not None) == (sys.platform == "linux")
