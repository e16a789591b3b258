"""A group that records come to three times; on the way they are given other headers."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec
from sk_kernel import Context, Envelope, node, sink, source


class Number(msgspec.Struct, frozen=True):
    n: int


class Marked(Number, frozen=True):
    """Goes to another group."""


class Back(Number, frozen=True):
    """Comes from there, and goes on to a third one."""


class Confirmed(Number, frozen=True):
    """Comes from that."""


class Aside(Number, frozen=True):
    """Goes to a fourth group."""


class Waited(Number, frozen=True):
    """Comes from there, to the second segment."""


class Late(Number, frozen=True):
    """Comes from that."""


class Told(msgspec.Struct, frozen=True):
    text: str


@source()
def numbers() -> Iterator[Number]:
    yield from (Number(n) for n in range(6))


@node
def split(number: Number) -> Envelope[Marked] | Aside:
    if number.n % 2:
        return Aside(number.n)
    return Envelope(Marked(number.n), headers={"by": "split"})


@node
def mark(marked: Marked) -> Envelope[Back]:
    return Envelope(Back(marked.n), headers={"by": "mark"})


@node
def confirm(back: Back) -> Confirmed:
    return Confirmed(back.n)


@node
def wait(aside: Aside) -> Waited:
    return Waited(aside.n)


@node
def hand_on(waited: Waited) -> Late:
    return Late(waited.n)


@node
def tell(record: Confirmed | Late, context: Context) -> Told:
    return Told(f"{record.n} {context.headers.get('by', 'nobody')}")


@sink()
def out(told: Told) -> None:
    sys.stdout.write(told.text + "\n")
    sys.stdout.flush()
