"""Putting batches together again, against a model that keeps everything and sorts at the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_supervisor._worker.align import Aligner
from sk_supervisor.errors import AlignmentError

Part = tuple[int, int, int]  # epoch, upstream segment, number


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[int], list[tuple[Part, bool]]]:
    """Upstream segments, and their parts in an order that keeps each one's own."""
    upstream = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True))
    streams: list[list[tuple[Part, bool]]] = []
    epochs = draw(st.integers(0, 6))
    for segment in upstream:
        stream = []
        for epoch in range(1, epochs + 1):
            parts = draw(st.integers(1, 3))
            stream += [((epoch, segment, n), n < parts - 1) for n in range(parts)]
        streams.append(stream)
    order = draw(st.permutations([i for i, s in enumerate(streams) for _ in s]))
    return upstream, [streams[i].pop(0) for i in order]


@given(arrivals(), st.data())
def test_batches_come_whole_once_and_in_order_as_early_as_can_be(
    given_: tuple[list[int], list[tuple[Part, bool]]], data: st.DataObject
) -> None:
    upstream, arriving = given_
    aligner: Aligner[Part] = Aligner((segment, 0) for segment in upstream)
    came: list[Part] = []
    ends: set[tuple[int, int]] = set()
    given_back: list[int] = []
    for part, more in arriving:
        aligner.add(part[0], (part[1], 0), part, more=more)
        came.append(part)
        if not more:
            ends.add(part[:2])
        for epoch, parts in aligner.ready():
            given_back.append(epoch)
            assert parts == [p for p in came if p[0] == epoch]
        whole = 0
        while all((whole + 1, segment) in ends for segment in upstream):
            whole += 1
        assert given_back == list(range(1, whole + 1))
    assert aligner.held == 0
    # A sender that starts again sends what it may have sent before: dropped.
    for part, more in arriving:
        aligner.add(part[0], (part[1], 0), part, more=more)
    assert list(aligner.ready()) == []
    assert aligner.held == 0


def test_a_part_from_elsewhere_or_behind_the_last_is_refused() -> None:
    aligner: Aligner[str] = Aligner([(1, 0), (2, 0)])
    with pytest.raises(AlignmentError, match="not upstream"):
        aligner.add(1, (3, 0), "x", more=False)
    aligner.add(1, (1, 0), "x", more=False)
    with pytest.raises(AlignmentError, match="after the last"):
        aligner.add(1, (1, 0), "y", more=False)


def test_a_gap_is_refused_by_who_was_there_from_the_beginning() -> None:
    aligner: Aligner[str] = Aligner([(1, 0), (2, 0)])
    aligner.add(1, (1, 0), "x", more=False)
    with pytest.raises(AlignmentError, match="missing"):
        aligner.add(3, (1, 0), "y", more=False)


@st.composite
def restarted(draw: st.DrawFn) -> tuple[int, list[tuple[int, str, int, bool, int]]]:
    """Batches, and the parts of two segments, each with several workers after one another.

    A worker begins at any batch that its segment may not have sent whole, or before, and is cut off
    in the midst of a batch; the last one sends all the rest. Old ones' parts may come late.
    """
    epochs = draw(st.integers(1, 5))
    streams = []
    for segment in (1, 2):
        stream: list[tuple[int, str, int, bool, int]] = []
        done = 0  # the batches that are here whole
        for worker in range(draw(st.integers(0, 3))):
            parts = draw(pieces(draw(st.integers(1, done + 1)), epochs))
            cut = parts[: draw(st.integers(0, len(parts)))]
            stream += [(segment, f"w.{worker}", epoch, more, n) for epoch, more, n in cut]
            done = max([done, *(epoch for epoch, more, _ in cut if not more)])
        last = draw(pieces(draw(st.integers(1, done + 1)), epochs))
        stream += [(segment, "w.last", epoch, more, n) for epoch, more, n in last]
        streams.append(stream)
    order = draw(st.permutations([i for i, s in enumerate(streams) for _ in s]))
    return epochs, [streams[i].pop(0) for i in order]


@st.composite
def pieces(draw: st.DrawFn, first: int, last: int) -> list[tuple[int, bool, int]]:
    """(batch, more, number) of one worker's parts."""
    parts = []
    for epoch in range(first, last + 1):
        count = draw(st.integers(1, 3))
        parts += [(epoch, n < count, n) for n in range(1, count + 1)]
    return parts


@pytest.mark.contract("PROC-04")
@given(restarted(), st.booleans())
def test_of_several_workers_each_batch_comes_once_whole_from_one_of_them(
    given_: tuple[int, list[tuple[int, str, int, bool, int]]], resumed: bool
) -> None:
    epochs, arriving = given_
    aligner: Aligner[tuple[int, str, int, bool, int]] = Aligner([(1, 0), (2, 0)], resumed=resumed)
    came = []
    for part in arriving:
        segment, sender, epoch, more, _ = part
        aligner.add(epoch, (segment, 0), part, more=more, sender=sender)
        came += list(aligner.ready())
    assert [epoch for epoch, _ in came] == list(range(1, epochs + 1))
    for epoch, parts in came:
        for segment in (1, 2):
            own = [part for part in parts if part[0] == segment]
            assert len({sender for _, sender, *_ in own}) == 1
            assert [n for *_, n in own] == list(range(1, len(own) + 1))
            assert [more for _, _, _, more, _ in own] == [True] * (len(own) - 1) + [False]
            assert all(part[2] == epoch for part in own)
    assert aligner.held == 0


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 8))
def test_who_takes_a_place_begins_where_all_of_upstream_do(a: int, b: int, more: int) -> None:
    last = max(a, b) + more
    aligner: Aligner[int] = Aligner([(1, 0), (2, 0)], resumed=True)
    came = []
    for epoch in range(a, last + 1):
        aligner.add(epoch, (1, 0), epoch, more=False, sender="u.1")
        came += [number for number, _ in aligner.ready()]
    for epoch in range(b, last + 1):
        aligner.add(epoch, (2, 0), epoch, more=False, sender="v.1")
        came += [number for number, _ in aligner.ready()]
    assert came == list(range(max(a, b), last + 1))
    assert aligner.held == 0


def test_who_takes_a_place_follows_an_upstream_that_itself_goes_on_further_on() -> None:
    """What lies between is done with everywhere; to wait for it would be to wait for ever."""
    aligner: Aligner[str] = Aligner([(1, 0)], resumed=True)
    aligner.add(8, (1, 0), "half", more=True, sender="u.1")
    aligner.add(12, (1, 0), "whole", more=False, sender="u.2")
    assert list(aligner.ready()) == [(12, ["whole"])]
    aligner.add(20, (1, 0), "further", more=False, sender="u.2")
    assert list(aligner.ready()) == [(20, ["further"])]


def test_who_takes_a_place_follows_its_own_segment_that_goes_on_further_on() -> None:
    aligner: Aligner[str] = Aligner([(1, 0)], resumed=True)
    for epoch, came in ((8, "first"), (12, "further")):
        aligner.add(epoch, (1, 0), came, more=False)
        assert list(aligner.ready()) == [(epoch, [came])]


def test_who_takes_a_place_refuses_a_gap_of_who_was_there_from_the_beginning() -> None:
    aligner: Aligner[str] = Aligner([(1, 0)], resumed=True)
    aligner.add(8, (1, 0), "first", more=False, sender="u-0.1")
    aligner.add(9, (1, 0), "next", more=False, sender="u-0.1")
    with pytest.raises(AlignmentError, match="missing"):
        aligner.add(11, (1, 0), "behind a gap", more=False, sender="u-0.1")


def test_a_predecessor_that_comes_late_is_not_heard() -> None:
    aligner: Aligner[str] = Aligner([(1, 0)])
    aligner.add(1, (1, 0), "old", more=True, sender="u.1")
    aligner.add(1, (1, 0), "new", more=True, sender="u.2")
    aligner.add(1, (1, 0), "late", more=False, sender="u.1")
    aligner.add(1, (1, 0), "end", more=False, sender="u.2")
    assert list(aligner.ready()) == [(1, ["new", "end"])]
