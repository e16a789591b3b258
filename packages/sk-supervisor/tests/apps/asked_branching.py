"""Two branches: one answers, and the other goes on behind the answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from asked_ending import Waited, note
from sk_kernel import node


class Branch(msgspec.Struct):
    """Answered at once by one node; another one goes on until the gate opens."""

    log: str
    gate: str


@node
def answering(ask: Branch) -> Waited:
    """The branch that answers."""
    return Waited("answering")


@node
async def auditing(ask: Branch) -> None:
    """The branch that nobody waits for."""
    await asyncio.to_thread(Path(ask.gate).read_bytes)
    note(ask.log, "audited")
