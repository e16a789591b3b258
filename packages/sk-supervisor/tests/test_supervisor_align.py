"""Putting batches together again, against a model that keeps everything and sorts at the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_supervisor._align import Aligner, AlignmentError

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
    aligner: Aligner[Part] = Aligner(upstream)
    came: list[Part] = []
    ends: set[tuple[int, int]] = set()
    given_back: list[int] = []
    for part, more in arriving:
        aligner.add(part[0], part[1], part, more=more)
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
        aligner.add(part[0], part[1], part, more=more)
    assert list(aligner.ready()) == []
    assert aligner.held == 0


def test_a_part_from_elsewhere_or_behind_the_last_is_refused() -> None:
    aligner: Aligner[str] = Aligner([1, 2])
    with pytest.raises(AlignmentError, match="not upstream"):
        aligner.add(1, 3, "x", more=False)
    aligner.add(1, 1, "x", more=False)
    with pytest.raises(AlignmentError, match="after the last"):
        aligner.add(1, 1, "y", more=False)
