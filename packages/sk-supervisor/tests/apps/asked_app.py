"""An application that is asked: four nodes in a row, a keyed state, and nodes that misbehave."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
from sk_kernel import Context, Envelope, node, sink, source, state


class Ask(msgspec.Struct):
    """A request. ``do`` is ``deed:node``, for the node of that name; ``gate`` a FIFO for waits."""

    n: int
    who: str = ""
    do: str = ""
    gate: str = ""
    pids: list[int] = []


class Second(Ask):
    """On its way to ``second``."""


class Third(Ask):
    """On its way to ``third``."""


class Last(Ask):
    """On its way to ``last``."""

    seen: int = 0


class Reply(msgspec.Struct):
    """What comes out: ``pids`` are those of the processes on the way."""

    n: int
    seen: int
    pids: list[int]
    trace_id: str
    reply_to: str | None
    headers: dict[str, str]


@state(key="who")
class Seen:
    """How often somebody was seen."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}


def act(ask: Ask, name: str) -> list[int]:
    """Do what is to be done here; the way so far."""
    deed, _, where = ask.do.partition(":")
    if where == name:
        if deed == "raise":
            raise ValueError(f"secret {ask.n}")
        if deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if deed == "wait":
            Path(ask.gate).read_bytes()
    return [*ask.pids, os.getpid()]


@node
def first(ask: Ask) -> Second:
    """The entrance."""
    return Second(ask.n, ask.who, ask.do, ask.gate, act(ask, "first"))


@node
def second(ask: Second) -> Envelope[Third] | Third | None:
    """May drop it, or give it another name."""
    pids = act(ask, "second")
    if ask.do == "drop":
        return None
    passed = Third(ask.n, ask.who, ask.do, ask.gate, pids)
    return Envelope(passed, trace_id="the-child's-own") if ask.do == "alias" else passed


@node
def third(ask: Third, seen: Seen) -> Last:
    """Counts who asks."""
    count = seen.of[ask.who] = seen.of.get(ask.who, 0) + 1
    return Last(ask.n, ask.who, ask.do, ask.gate, act(ask, "third"), count)


@node
def last(ask: Last, context: Context) -> Reply:
    """Answers."""
    pids = act(ask, "last")
    known = dict(context.headers)
    return Reply(ask.n * 2, ask.seen, pids, context.trace_id, context.reply_to, known)


class Opening(msgspec.Struct):
    """Of the source: how many it gives before it waits for ``gate``."""

    count: int = 3
    gate: str = ""


@source(name="asks")
def asks(settings: Opening) -> Iterator[Ask]:
    """A few that are no request, and then nothing until the gate opens."""
    for n in range(1, settings.count + 1):
        yield Ask(n, who="stream")
    if settings.gate:
        Path(settings.gate).read_bytes()


class Target(msgspec.Struct):
    """Of the sink: the file."""

    path: str


@sink(name="answers")
def answers(reply: Reply, settings: Target) -> None:
    """A line for each."""
    with open(settings.path, "a", encoding="utf-8") as file:
        file.write(f"{reply.n} {reply.seen}\n")
