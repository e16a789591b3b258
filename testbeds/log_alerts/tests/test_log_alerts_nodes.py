"""Single nodes, and the whole graph without a process."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from log_alerts.nodes import (
    LastTold,
    Tally,
    Told,
    compose,
    count_failures,
    keep_slow,
    raise_alert,
    read_line,
)
from log_alerts.payloads import (
    Access,
    Alert,
    Failure,
    Garbled,
    Incident,
    LogLine,
    Message,
    Summary,
)
from sk_kernel.testing import run_application, run_node, run_placed

GROUPS = {
    "keep_slow": "detect",
    "count_failures": "detect",
    "raise_alert": "detect",
    "tally": "sums",
    "compose": "desk",
}
LINES = st.one_of(
    st.builds("{} web-{} GET /x {}".format, st.integers(0, 900), st.integers(1, 4), st.integers(0)),
    st.builds("{} web-{} ERROR e".format, st.integers(0, 900), st.integers(1, 4)),
    st.text(max_size=5),
)


def test_a_line_is_one_of_three_types() -> None:
    texts = ["1 a GET /x 2", "3 b ERROR full", "nonsense"]
    lines = [LogLine(number, text) for number, text in enumerate(texts, 1)]
    expected = [Access("a", 1, "/x", 2), Failure("b", 3, "full"), Garbled(3)]
    assert run_node(read_line, *lines) == expected


def test_what_takes_as_long_as_the_limit_is_not_slow() -> None:
    answers = [Access("a", 1, "/x", 500), Access("a", 2, "/x", 501)]
    assert run_node(keep_slow, *answers) == [Incident("a", 2, "/x took 501 ms")]


def test_errors_of_different_hosts_are_no_burst() -> None:
    failures = [Failure(host, at, "x") for at, host in enumerate("abab")]
    assert run_node(count_failures, *failures, settings={"errors": 3}) == []
    assert run_node(count_failures, *failures, settings={"errors": 2}) == [
        Incident("a", 2, "2 errors, last: x"),
        Incident("b", 3, "2 errors, last: x"),
    ]


def test_errors_are_forgotten_once_they_are_old() -> None:
    failures = [Failure("a", at, "x") for at in (0, 10, 70)]
    assert run_node(count_failures, *failures, settings={"errors": 3, "seconds": 60}) == []


def test_an_alert_says_how_many_were_withheld() -> None:
    told = LastTold(a=Told(0, withheld=2))
    incidents = [Incident("a", 299, "x"), Incident("a", 300, "y")]
    assert run_node(raise_alert, *incidents, states=[told]) == [Alert("a", 300, "y", 3)]


def test_the_sum_comes_at_the_end() -> None:
    records = [Garbled(1), Failure("a", 1, "x"), Garbled(2)]
    assert run_node(Tally, *records) == []
    assert run_node(Tally, *records, finish=True) == [Summary(0, 1, 2)]


def test_news_is_put_in_words() -> None:
    assert run_node(compose, Alert("a", 1, "x", 2)) == [Message("1 a: x (2 withheld)")]


@settings(max_examples=15)
@given(st.lists(LINES, min_size=1, max_size=40), st.integers(1, 4), st.integers(1, 9))
def test_any_log_gives_the_same_in_groups_and_on_several_workers(
    texts: list[str], workers: int, batch: int
) -> None:
    lines = [LogLine(number, text) for number, text in enumerate(texts, 1)]
    expected = run_application(["log_alerts"], lines)
    counts = {"detect": workers}
    got = run_placed(["log_alerts"], lines, GROUPS, workers=counts, batch_records=batch)
    assert got == expected
