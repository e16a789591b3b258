"""A plain node that runs an event loop of its own, beside a coroutine."""

from __future__ import annotations

import asyncio

import msgspec
from sk_kernel import node


class Ask(msgspec.Struct):
    """What is asked."""

    n: int


class Half(msgspec.Struct):
    """Half of the way."""

    n: int


class Passed(msgspec.Struct):
    """The answer."""

    n: int


async def added(n: int) -> int:
    """One more."""
    await asyncio.sleep(0)
    return n + 1


@node
def runs_a_loop(ask: Ask) -> Half:
    """Is called in no event loop: else this would be refused."""
    return Half(asyncio.run(added(ask.n)))


@node
async def passing(half: Half) -> Passed:
    """A coroutine of the same group."""
    return Passed(await added(half.n))
