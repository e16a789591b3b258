"""A coroutine with a state, which requests pass together, and wait in."""

from __future__ import annotations

from asked_ending import Db, Wait, Waited, wait
from sk_kernel import node, state


class Keep(Wait):
    """The same, in a node with a state."""


@state(key=None)
class Kept:
    """For the node to have one."""


@node
class Keeping:
    """Requests pass it together."""

    def __init__(self, db: Db, kept: Kept) -> None:
        self._db, self._kept = db, kept

    async def __call__(self, ask: Keep) -> Waited:
        """Waits for what never comes."""
        await wait(ask, self._db)
        return Waited("keeping")
