"""Nodes whose replies change later, cannot be sent, or come of a part of a request alone."""

from __future__ import annotations

import msgspec
from sk_kernel import node, state

TOO_LARGE = 1 << 70
"""No message has a form for it."""


class Add(msgspec.Struct):
    """To be added."""

    n: int


class Total(msgspec.Struct):
    """What has been added so far."""

    n: int


class Say(msgspec.Struct):
    """To be said: of 2 also something that no message can carry, and that first."""

    n: int


class Said(msgspec.Struct):
    """What was said."""

    what: int


class Part(msgspec.Struct):
    """To be looked at; 0 is refused."""

    n: int
    text: str = ""


class Parts(msgspec.Struct):
    """To be looked at one by one."""

    several: list[int]


class Repeat(msgspec.Struct):
    """Asks for so many characters."""

    count: int


class Repeated(msgspec.Struct):
    """Has them."""

    text: str


class Looked(msgspec.Struct):
    """On its way to where nothing comes of it."""

    n: int
    text: str = ""


@state(key=None)
class Account:
    """Keeps the very object that is given out."""

    def __init__(self) -> None:
        self.total = Total(0)


@node
class Adding:
    """Breaks the rule that what a node has returned is to be left alone."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __call__(self, add: Add) -> Total:
        self._account.total.n += add.n
        return self._account.total


@node
def saying(say: Say) -> list[Said]:
    """One reply, or two of which the first cannot be sent."""
    return [Said(TOO_LARGE), Said(3)] if say.n == 2 else [Said(say.n)]


@node
def parting(parts: Parts) -> list[Part]:
    """One each."""
    return [Part(n) for n in parts.several]


@node
def looking(part: Part) -> Looked:
    """Refuses 0."""
    if not part.n:
        raise ValueError(part.n)
    return Looked(part.n, part.text)


@node
def repeating(repeat: Repeat) -> Repeated:
    """So many."""
    return Repeated("x" * repeat.count)


@node
def ending(looked: Looked) -> None:
    """Gives nothing."""
