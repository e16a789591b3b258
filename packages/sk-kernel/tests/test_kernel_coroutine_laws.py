"""Coroutines side by side and apart: laws of their order, their number and their failures."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel._calls.coroutines import (
    CONCURRENT_COROUTINES,
    CoroutineFailedError,
    apart,
    side_by_side,
)

#: Of each coroutine, how often it lets others go on, and whether it raises then.
coroutines = st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=150)


class Watched:
    """Coroutines, and what was seen of them."""

    def __init__(self, each: list[tuple[int, bool]]) -> None:
        self._each = each
        self.begun: list[int] = []
        self.under_way = self.most = 0

    async def start(self, index: int) -> int:
        turns, raises = self._each[index]
        self.begun.append(index)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(turns):
            await asyncio.sleep(0)
        self.under_way -= 1
        if raises:
            raise LookupError(index)
        return index * 2


@given(coroutines)
def test_side_by_side_the_first_by_place_that_fails_is_told(each: list[tuple[int, bool]]) -> None:
    watched = Watched(each)
    bad = [index for index, (_, raises) in enumerate(each) if raises]
    if bad:
        with pytest.raises(CoroutineFailedError) as caught:
            asyncio.run(side_by_side(watched.start, len(each)))
        assert caught.value.index == bad[0]
    else:
        got = asyncio.run(side_by_side(watched.start, len(each)))
        assert got == [2 * index for index in range(len(each))]
    assert watched.begun == list(range(len(watched.begun)))
    assert watched.most <= CONCURRENT_COROUTINES
    assert watched.under_way == 0  # what was begun has ended


@given(coroutines, st.integers(1, 70))
def test_apart_each_has_its_own_result_or_what_stands_for_it(
    each: list[tuple[int, bool]], at_once: int
) -> None:
    watched = Watched(each)

    def failed(index: int, cause: BaseException) -> Any:
        assert cause.args == (index,)
        return "failed"

    got = asyncio.run(
        apart(watched.start, len(each), lambda _: math.inf, at_once, failed, lambda _: None)
    )
    assert got == ["failed" if bad else 2 * index for index, (_, bad) in enumerate(each)]
    assert watched.begun == list(range(len(each)))
    assert watched.most <= at_once


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 10))
def test_apart_those_that_are_due_are_cancelled_and_no_others(
    due: list[bool], at_once: int
) -> None:
    async def start(index: int) -> int:
        if due[index]:
            await asyncio.Event().wait()
        return index

    def failed(index: int, cause: BaseException) -> Any:
        assert isinstance(cause, asyncio.CancelledError)
        return None

    def until(index: int) -> float:
        return -math.inf if due[index] else math.inf

    got = asyncio.run(apart(start, len(due), until, at_once, failed, lambda _: None))
    assert got == [None if late else index for index, late in enumerate(due)]


def test_apart_nothing_more_is_begun_once_whoever_waits_is_cancelled() -> None:
    begun: list[int] = []

    async def forever(index: int) -> None:
        begun.append(index)
        await asyncio.Event().wait()

    async def cancelled() -> None:
        waits = apart(forever, 9, lambda _: math.inf, 4, lambda _, __: None, lambda _: None)
        task = asyncio.ensure_future(waits)
        while len(begun) < 4:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(cancelled())
    assert begun == [0, 1, 2, 3]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40), st.booleans())
def test_whoever_waits_and_is_cancelled_leaves_none_behind(turns: list[int], each: bool) -> None:
    """Each takes its time to end, as one does that lets go of what it holds."""
    under_way = 0

    async def ends_slowly(index: int) -> None:
        nonlocal under_way
        under_way += 1
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(turns[index]):
                await asyncio.sleep(0)
            under_way -= 1

    async def cancelled() -> int:
        count, never = len(turns), lambda _: math.inf
        if each:
            waits = apart(ends_slowly, count, never, 8, lambda *_: None, lambda _: None)
        else:
            waits = side_by_side(ends_slowly, count)
        task = asyncio.ensure_future(waits)
        while under_way < min(count, 8):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return under_way

    assert asyncio.run(cancelled()) == 0


def test_apart_one_that_is_due_and_cancelled_again_ends_in_peace() -> None:
    """What it does as it ends may wait, for a rollback say, and is not cut short."""
    cancels: list[Callable[[], object]] = []
    ended: list[int] = []

    async def ends_slowly(index: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(3):
                cancels[0]()
                await asyncio.sleep(0)
            ended.append(index)

    waits = apart(ends_slowly, 3, lambda _: -math.inf, 3, lambda *_: None, cancels.append)
    asyncio.run(waits)
    assert ended == [0, 1, 2]


def test_whoever_waits_and_is_cancelled_as_the_last_one_ends_is_cancelled_and_no_more() -> None:
    async def once() -> None:
        async def one(_: int) -> None:
            await asyncio.sleep(0)

        waiting = asyncio.ensure_future(side_by_side(one, 1))
        while waiting._fut_waiter is None or not waiting._fut_waiter.done():  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(asyncio.wait_for(once(), 10))
