"""Coroutines that requests wait in at the end of a run, and what is used and closed there.

Each thing that happens adds a line to the file that whoever asks, or the sink's settings, name.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sk_kernel import service, sink, source


class Wait(msgspec.Struct):
    """Waits for ever, from when its gate opens on, if it has one."""

    log: str
    gate: str = ""


class Waited(msgspec.Struct):
    """What comes out."""

    by: str


class Log(msgspec.Struct):
    """Of the sink."""

    log: str


def note(log: str, what: str) -> None:
    """Add a line."""
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f"{what}\n")


@service
class Db:
    """Open, until it is closed."""

    def __init__(self) -> None:
        self.now, self.log = "open", ""

    def close(self) -> None:
        """Nobody may use it any more."""
        self.now = "closed"
        if self.log:
            note(self.log, "closed")


async def wait(ask: Wait, db: Db) -> None:
    """For what never comes."""
    db.log = ask.log
    note(ask.log, f"called, {db.now}")
    if ask.gate:
        Path(ask.gate).read_bytes()
    try:
        await asyncio.Event().wait()
    finally:
        for _ in range(100):  # as a rollback takes its time
            await asyncio.sleep(0)
        note(ask.log, f"left, {db.now}")


@source(name="silent", unbounded=True)
class Silent:
    """Gives nothing until it is interrupted."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Wait]:
        """Ends."""
        self._interrupted.wait()
        return ()

    def interrupt(self) -> None:
        """The input is to end."""
        self._interrupted.set()


@sink(name="noted")
class Noted:
    """Takes nothing; how it ends is what matters."""

    def __init__(self, settings: Log) -> None:
        self._log = settings.log

    def write(self, chunk: Sequence[Waited]) -> None:
        """Nothing comes but replies, which callers take."""

    def commit(self) -> None:
        """The run is complete."""
        note(self._log, "committed")

    def abort(self) -> None:
        """It is not."""
        note(self._log, "aborted")
