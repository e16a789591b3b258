"""Which payloads are made without any code of an application being run."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sk_kernel._wire.inert import is_inert


class Plain(msgspec.Struct, frozen=True):
    n: int
    text: str | None = None
    amounts: dict[str, Decimal] = msgspec.field(default_factory=dict)
    ids: tuple[UUID, ...] = ()
    next: Plain | None = None


class Checked(msgspec.Struct):
    n: int

    def __post_init__(self) -> None:
        raise RuntimeError


class Derived(Checked):
    m: int = 0


class Holding(msgspec.Struct):
    parts: list[tuple[int, Checked]]


class Made(msgspec.Struct):
    n: int = msgspec.field(default_factory=lambda: 1)


class Colour(enum.Enum):
    RED = "red"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        raise RuntimeError


class Hashed(msgspec.Struct, frozen=True):
    n: int

    def __hash__(self) -> int:
        raise RuntimeError


class InSet(msgspec.Struct):
    parts: frozenset[Hashed]


class AsKey(msgspec.Struct):
    parts: dict[Hashed, int]


class Coloured(msgspec.Struct):
    colour: Colour


@dataclass
class Data:
    parts: list[int] = field(default_factory=list)


@pytest.mark.parametrize("annotation", [Plain, list[Plain], Plain | None, bytes, dict[int, Plain]])
def test_plain_data_is(annotation: Any) -> None:
    assert is_inert(annotation)


@pytest.mark.parametrize(
    "annotation",
    [Checked, Derived, Holding, Made, Coloured, InSet, AsKey, Data, Any, object, "no type"],
)
def test_what_may_run_anything_is_not(annotation: Any) -> None:
    assert not is_inert(annotation)
