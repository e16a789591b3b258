"""Whose version of each record counts, where workers have taken the places of others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sk_supervisor._hub.versions import Versions, Way

FIRST: Way = (0, "in-0", 1, "a-0")
SECOND: Way = (1, "a-0", 2, "b-0")
LAST: Way = (2, "b-0", 3, "out-0")
WAYS = (FIRST, SECOND, LAST)


ALL = (0, None)


def test_where_nobody_was_replaced_all_is_everybody_s_own() -> None:
    versions = Versions(WAYS, ["a-0", "b-0"])
    versions.passed(SECOND, 7)
    assert [versions.share(worker) for worker in ("in-0.1", "a-0.1", "b-0.1")] == [ALL] * 3


def test_what_was_passed_on_whole_is_its_maker_s_and_the_rest_its_successor_s() -> None:
    versions = Versions(WAYS, ["a-0"])
    versions.passed(SECOND, 7)
    versions.handed_over("a-0.2")
    versions.passed(SECOND, 3)  # what its successor makes anew is dropped
    versions.handed_over("a-0.3")
    versions.passed(SECOND, 9)
    versions.handed_over("a-0.4")
    shares = [versions.share(f"a-0.{number}") for number in (1, 2, 3, 4)]
    assert shares == [(0, 7), (7, 7), (7, 9), (9, None)]


def test_a_worker_is_done_with_what_has_gone_every_way() -> None:
    aside: Way = (1, "a-0", 3, "out-0")
    versions = Versions([*WAYS, aside], ["a-0"])
    versions.passed(SECOND, 7)
    versions.passed(aside, 5)
    versions.handed_over("a-0.2")
    assert (versions.share("a-0.1"), versions.share("a-0.2")) == ((0, 5), (5, None))


def test_what_is_lost_with_its_receiver_is_whoever_s_sends_it_again() -> None:
    """Of a.1 and b.1 both are replaced: b.2 is sent what a.2 has made, behind what b.1 passed."""
    versions = Versions(WAYS, ["a-0", "b-0"])
    versions.passed(SECOND, 7)
    versions.passed(LAST, 4)
    versions.handed_over("a-0.2")
    versions.handed_over("b-0.2")
    for place in ("a-0", "b-0"):
        shares = versions.share(f"{place}.1"), versions.share(f"{place}.2")
        assert shares == ((0, 4), (4, None))


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from([SECOND, LAST]), st.integers(1, 50)),
            st.sampled_from(["a-0", "b-0"]),
        ),
        max_size=40,
    )
)
def test_each_record_is_one_worker_s_of_a_place(story: list[tuple[Way, int] | str]) -> None:
    versions, incarnation = Versions(WAYS, ["a-0", "b-0"]), {"a-0": 1, "b-0": 1}
    for what in story:
        if isinstance(what, str):
            incarnation[what] += 1
            versions.handed_over(f"{what}.{incarnation[what]}")
        else:
            versions.passed(*what)
    for place, number in incarnation.items():
        shares = [versions.share(f"{place}.{each}") for each in range(1, number + 1)]
        for record in range(1, 60):
            takers = [(a, to) for a, to in shares if a < record and (to is None or record <= to)]
            assert len(takers) == 1
