"""Nodes beside those of the application that is asked: nothing but requests leads to them."""

from __future__ import annotations

import os

import msgspec
from asked_app import Reply
from sk_kernel import node


class Twice(msgspec.Struct):
    """Two nodes take it, and both answer."""

    n: int


class Risky(msgspec.Struct):
    """Its node always raises."""

    n: int


class Chunk(msgspec.Struct):
    """As large a payload as is wished."""

    data: bytes
    grow: int = 1


class Unsendable(msgspec.Struct):
    """A text that is no Unicode, which MessagePack cannot carry."""

    what: str


@node
def left(twice: Twice) -> Reply:
    """One of two that answer."""
    return Reply(twice.n, 0, [os.getpid()], "", None, {})


@node
def right(twice: Twice) -> Reply:
    """The other."""
    return Reply(twice.n, 0, [os.getpid()], "", None, {})


@node
def risky(risk: Risky) -> Reply:
    """Never answers."""
    raise KeyError(risk.n)


@node
def echo(chunk: Chunk) -> Unsendable | Reply:
    """Answers with something that cannot be sent, where it is asked to grow."""
    if chunk.grow > 1:
        return Unsendable("\ud800")
    return Reply(len(chunk.data), 0, [], "", None, {})
