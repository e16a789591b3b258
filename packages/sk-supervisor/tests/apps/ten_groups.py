"""A chain of ten nodes between a source and a sink, each a group of two workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, defstruct
from sk_kernel import node, sink, source

TEN = tuple({"name": f"g{i}", "nodes": [f"step{i}"], "workers": 2} for i in range(1, 11))
ENDS = ({"name": "in", "nodes": ["source:source"]}, {"name": "out", "nodes": ["sink:sink"]})


class Count(Struct, forbid_unknown_fields=True):
    count: int


#: What the source gives, and what each of the ten gives on: a type of its own.
TYPES = [defstruct(f"P{i}", [("n", int)], frozen=True, module=__name__) for i in range(11)]
P0, P10 = TYPES[0], TYPES[10]


@source()
def numbers(settings: Count) -> Iterator[P0]:
    for n in range(settings.count):
        yield P0(n)


def step(number: int) -> Any:
    """The node of this number: it takes what the one before it gives, and adds 1."""
    given, made = TYPES[number - 1 : number + 1]

    def add(before: Any) -> Any:
        return made(before.n + 1)

    add.__annotations__ = {"before": given, "return": made}
    return node(add, name=f"step{number}")


step1, step2, step3, step4, step5 = map(step, range(1, 6))
step6, step7, step8, step9, step10 = map(step, range(6, 11))


class Target(Struct, forbid_unknown_fields=True):
    path: str


@sink()
class Lines:
    def __init__(self, settings: Target) -> None:
        self._path = Path(settings.path)

    def open(self) -> None:
        self._file = self._path.with_suffix(".partial").open("w")

    def write(self, items: list[P10]) -> None:
        self._file.writelines(f"{item.n}\n" for item in items)

    def commit(self) -> None:
        self._file.close()
        self._path.with_suffix(".partial").rename(self._path)

    def abort(self) -> None:
        self._file.close()

    def partial_outputs(self) -> tuple[str, ...]:
        return (str(self._path.with_suffix(".partial")),)

    def summary(self) -> dict[str, int]:
        return {}
