"""A coroutine that requests pass by themselves, and wait in."""

from __future__ import annotations

from asked_ending import Db, Wait, Waited, wait
from sk_kernel import node


@node
class Waiting:
    """Requests pass it by themselves."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def __call__(self, ask: Wait) -> Waited:
        """Waits for what never comes."""
        await wait(ask, self._db)
        return Waited("waiting")
