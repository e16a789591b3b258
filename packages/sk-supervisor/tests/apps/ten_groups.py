"""A chain of ten nodes between a source and a sink, each a group of two workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from sk_kernel import node, sink, source

TEN = tuple({"name": f"g{i}", "nodes": [f"step{i}"], "workers": 2} for i in range(1, 11))
ENDS = ({"name": "in", "nodes": ["source:source"]}, {"name": "out", "nodes": ["sink:sink"]})


class P0(Struct, frozen=True):
    n: int


class P1(Struct, frozen=True):
    n: int


class P2(Struct, frozen=True):
    n: int


class P3(Struct, frozen=True):
    n: int


class P4(Struct, frozen=True):
    n: int


class P5(Struct, frozen=True):
    n: int


class P6(Struct, frozen=True):
    n: int


class P7(Struct, frozen=True):
    n: int


class P8(Struct, frozen=True):
    n: int


class P9(Struct, frozen=True):
    n: int


class P10(Struct, frozen=True):
    n: int


class Count(Struct, forbid_unknown_fields=True):
    count: int


@source()
def numbers(settings: Count) -> Iterator[P0]:
    for n in range(settings.count):
        yield P0(n)


@node
def step1(before: P0) -> P1:
    return P1(before.n + 1)


@node
def step2(before: P1) -> P2:
    return P2(before.n + 1)


@node
def step3(before: P2) -> P3:
    return P3(before.n + 1)


@node
def step4(before: P3) -> P4:
    return P4(before.n + 1)


@node
def step5(before: P4) -> P5:
    return P5(before.n + 1)


@node
def step6(before: P5) -> P6:
    return P6(before.n + 1)


@node
def step7(before: P6) -> P7:
    return P7(before.n + 1)


@node
def step8(before: P7) -> P8:
    return P8(before.n + 1)


@node
def step9(before: P8) -> P9:
    return P9(before.n + 1)


@node
def step10(before: P9) -> P10:
    return P10(before.n + 1)


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
