"""Keys, key groups and workers: the same key meets the same worker, and nothing is lost between."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel._batch.key_groups import key_group, owner_of
from sk_kernel._declare.specs import PayloadType
from sk_kernel.runtime import KEY_GROUPS, KeyOwners, Section, Splitter

KEYS = st.one_of(st.text(st.characters()), st.integers(), st.binary(), st.booleans(), st.dates())


class Keyed(msgspec.Struct, frozen=True):
    key: Any


def section(values: list[Any]) -> Section:
    keys = range(1, len(values) + 1)
    payload = PayloadType(Keyed, Keyed)
    return Section("p", payload, None, keys, [Keyed(value) for value in values])


@pytest.mark.contract("P5PRE-EXEC-05")
def test_the_key_group_of_a_key_never_changes() -> None:
    """The numbers are part of what a later version may have to read: they are frozen here."""
    assert [key_group(key) for key in ("", "15887", "customer", 0, 1, -1, 528, b"x")] == [
        40,
        46,
        46,
        37,
        6,
        15,
        80,
        49,
    ]
    assert key_group(True) == key_group(1)


def test_another_process_finds_the_same_key_group() -> None:
    """Whatever the seed of its string hashes."""
    code = (
        "from sk_kernel._batch.key_groups import key_group\n"
        "print([key_group(str(n)) for n in range(100)])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == str([key_group(str(n)) for n in range(100)])


@given(KEYS)
def test_a_key_group_is_a_number_below_the_number_of_groups(key: Any) -> None:
    assert 0 <= key_group(key) < KEY_GROUPS


@given(st.integers(1, KEY_GROUPS))
def test_every_worker_owns_a_range_of_key_groups_and_none_two_more_than_another(n: int) -> None:
    owners = [owner_of(group, n) for group in range(KEY_GROUPS)]
    assert owners == sorted(owners)
    sizes = [owners.count(worker) for worker in range(n)]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1


@pytest.mark.contract("P5PRE-EXEC-05")
@given(st.lists(KEYS, max_size=40), st.integers(1, 5), st.integers(1, 100))
def test_a_split_by_key_keeps_every_record_its_order_and_its_worker(
    values: list[Any], workers: int, number: int
) -> None:
    whole = section(values)
    parts = Splitter("key", workers).split(number, [whole])
    assert len(parts) == workers
    rows = [
        (key, item, w)
        for w, part in enumerate(parts)
        for s in part
        for key, item in zip(s.keys, s.items, strict=True)
    ]
    came = {key: item.key for key, item, _ in rows}
    assert len(rows) == len(values)
    assert came == dict(zip(whole.keys, values, strict=True))
    for part in parts:
        for piece in part:
            assert list(piece.keys) == sorted(piece.keys)
    for _, item, worker in rows:
        assert worker == owner_of(key_group(item.key), workers)


@pytest.mark.contract("P5PRE-EXEC-05")
@given(st.integers(1, 5), st.integers(1, 100))
def test_without_a_key_whole_batches_take_turns(workers: int, number: int) -> None:
    whole = section(["a", "b"])
    parts = Splitter(None, workers).split(number, [whole])
    assert [part for part in parts if part] == [[whole]]
    after = Splitter(None, workers).split(number + 1, [whole])
    assert after.index([whole]) == (parts.index([whole]) + 1) % workers


@pytest.mark.parametrize("key", [[1], (1, [2]), ({}, "a")])
def test_a_key_that_cannot_be_looked_up_is_somebodys_all_the_same(key: Any) -> None:
    """None is declared such: the node that it comes to, or the wire, says whose fault it is."""
    assert KeyOwners("key", 3).of([Keyed("a"), Keyed(key)])[1] == owner_of(key_group(key), 3)


def test_more_keys_than_are_remembered_are_split_alike() -> None:
    values = [str(n) for n in range(70_000)]
    splitter = Splitter("key", 3)
    first = [[s.items for s in part] for part in splitter.split(1, [section(values)])]
    again = [[s.items for s in part] for part in splitter.split(2, [section(values)])]
    assert first == again
