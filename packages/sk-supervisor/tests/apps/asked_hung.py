"""A node that waits for what never comes, beside those of the application that is asked."""

from __future__ import annotations

import asyncio

import msgspec
from asked_app import Reply
from sk_kernel import node


class Hung(msgspec.Struct):
    """Never answered."""

    n: int


@node
async def hung(ask: Hung) -> Reply:
    """Waits for ever, as a call does that has no timeout."""
    await asyncio.Event().wait()
    return Reply(ask.n, 0, [], "", None, {})
