"""A node that raises on the first record."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sk_kernel import node, source


class Given(msgspec.Struct):
    n: int


class Made(msgspec.Struct):
    n: int


@source()
def some() -> Iterator[Given]:
    yield Given(1)


@node
def works(given: Given) -> Made:
    raise ValueError(f"cannot work on {given.n}")
