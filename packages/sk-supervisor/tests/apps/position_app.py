"""Nodes that stand where they are found, and the way a worker calls them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct
from sk_kernel import node

Seen = Callable[[], None]


class Look(Struct):
    """Calls back from inside a node."""

    seen: Seen


@node(name="named")
def plain(look: Look) -> None:
    """Is looked at while it runs."""
    _below(look.seen)


@node
class Waits:
    """Is looked at while its coroutine waits."""

    async def __call__(self, look: Look) -> None:
        """Hand the look to the loop, which comes to it when this waits."""
        loop = asyncio.get_running_loop()
        looked = loop.create_future()
        loop.call_soon(look.seen)
        loop.call_soon(looked.set_result, None)
        await looked


def _below(seen: Seen) -> None:
    seen()
