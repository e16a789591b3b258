"""A coroutine that waits until another request has come to it."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import msgspec
from sk_kernel import node

gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


class Enter(msgspec.Struct):
    """Opens a gate, and waits before another one, each of which may be none.

    One that is cancelled before the gate ``breaks`` raises a ``KeyError``.
    """

    opens: str = ""
    waits: str = ""


class Passed(msgspec.Struct):
    """Has waited before this gate."""

    waited: str


@node
async def passing(enter: Enter) -> Passed:
    """Waits for nothing but its gate."""
    if enter.opens:
        gates[enter.opens].set()
    if enter.waits:
        try:
            await gates[enter.waits].wait()
        finally:
            if enter.waits == "breaks":
                raise KeyError(enter.waits)
    return Passed(enter.waits)
