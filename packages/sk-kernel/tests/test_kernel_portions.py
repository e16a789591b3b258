"""Records that are too many for one frame: each is encoded once, in order, into arrays that fit."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel._wire.portions import portions

_decode = msgspec.msgpack.Decoder(list[bytes]).decode
SIZES = st.lists(st.integers(0, 400), max_size=60)


@given(SIZES, st.integers(-100, 2_000))
def test_runs_follow_each_other_and_hold_every_item(sizes: list[int], most: int) -> None:
    items = [bytes(size) for size in sizes]
    found = list(portions(items, most))
    assert [item for run, data in found for item in _decode(data)] == items
    assert [item for run, _ in found for item in items[run]] == items
    assert all(_decode(data) == items[run] for run, data in found)


@given(SIZES, st.integers(-100, 2_000))
def test_a_run_is_within_the_bytes_or_one_item_and_takes_what_it_can(
    sizes: list[int], most: int
) -> None:
    found = list(portions([bytes(size) for size in sizes], most))
    assert all(len(data) <= most or run.stop == run.start + 1 for run, data in found)
    for (run, data), (_, after) in pairwise(found):
        (first, *_) = _decode(after)
        more = len(msgspec.msgpack.encode(first))
        assert len(data) + more + 5 > most, run  # the first of the next had no room


@pytest.mark.parametrize("length", [1, 15, 16, 65_535, 65_536])
def test_an_array_s_head_is_as_short_as_its_length_allows(length: int) -> None:
    items = [b""] * length
    ((_, data),) = portions(items, 1 << 20)
    assert data == msgspec.msgpack.encode(items)


def test_what_cannot_be_encoded_is_raised_as_it_is() -> None:
    with pytest.raises(TypeError):
        list(portions([1, object()], 100))
