"""A reply whose class does something as it is made: what, a test says for its own process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import msgspec
from sk_kernel import node

DEEDS: dict[str, Callable[[], Any]] = {}
"""What is done by the reply of each name; workers have none."""


class Make(msgspec.Struct):
    """Asks for a reply of that name."""

    name: str


class Poison(msgspec.Struct):
    """Would end any process but the one that it was made in first."""

    pid: int

    def __post_init__(self) -> None:
        if self.pid != os.getpid():
            sys.exit(1)


class Made(msgspec.Struct):
    """Does what its name stands for."""

    name: str

    def __post_init__(self) -> None:
        DEEDS.get(self.name, str)()


@node
def tasting(poison: Poison) -> Made:
    """Is never given one by another process."""
    return Made(str(poison.pid))


@node
def making(make: Make) -> Made:
    """Gives it."""
    return Made(make.name)
