"""An application with every hook that may go wrong: what its settings name does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sk_kernel import node, sink, source


class Number(msgspec.Struct, frozen=True):
    n: int


class Doubled(msgspec.Struct, frozen=True):
    n: int


class Failing(msgspec.Struct, forbid_unknown_fields=True):
    on: str = ""


@source
def numbers() -> Iterator[Number]:
    yield from map(Number, range(1, 6))


@node
class Double:
    def __init__(self, settings: Failing) -> None:
        self._on = settings.on

    def __call__(self, number: Number) -> Doubled:
        if self._on == str(number.n):
            raise ValueError("secret")
        return Doubled(2 * number.n)

    def process_batch(self, numbers: Sequence[Number]) -> list[Doubled]:
        return [self(number) for number in numbers]


@sink
class Nowhere:
    def __init__(self, settings: Failing) -> None:
        self._on, self._asked = settings.on, False

    @classmethod
    def check(cls, settings: Failing) -> None:
        if settings.on == "check":
            raise ZeroDivisionError("never thought of")

    def write(self, doubled: Sequence[Doubled]) -> None: ...

    def partial_outputs(self) -> tuple[str, ...]:
        if self._asked and self._on == "partial_outputs":
            raise LookupError("no idea")
        self._asked = True
        return ()
