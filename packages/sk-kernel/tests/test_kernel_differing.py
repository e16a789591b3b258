"""Where two outputs of a node differ: by what they hold, whether or not their classes compare."""

from __future__ import annotations

import threading
from collections import deque, namedtuple
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sk_kernel.testing._differing import difference

NAN = float("nan"), float("nan") * 2


class Made(msgspec.Struct):
    price: float
    tags: Any = ()


class Bare:
    """Without an ``__eq__``."""

    def __init__(self, of: object) -> None:
        self.of = of


class Slotted:
    __slots__ = ("gone", "of")

    def __init__(self, of: object) -> None:
        self.of = of


class Refuses(Bare):
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")


@dataclass(eq=False)
class Plain:
    count: int


Pair = namedtuple("Pair", "left right")


def _ring(of: object) -> Bare:
    ring = Bare(of)
    ring.of = [ring, of]
    return ring


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Made(NAN[0]), Made(NAN[1])),
        (Pair(NAN[0], 1), Pair(NAN[1], 1)),
        (Bare([1]), Bare([1])),
        (Slotted(1), Slotted(1)),
        (Refuses(NAN[0]), Refuses(NAN[1])),
        (Plain(1), Plain(1)),
        (deque([NAN[0]]), deque([NAN[1]])),
        (_ring(1), _ring(1)),
        ({1, 2}, {2, 1}),
        (10**30, 10**30),
        (None, None),
    ],
)
def test_what_holds_the_same_is_the_same(one: Any, other: Any) -> None:
    assert difference(one, other) is None


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        (Made(1.0), Plain(1), "Plain, not Made"),
        (None, Plain(1), "Plain, not NoneType"),
        (Made(1.0), Made(1), "Made.price: int, not float"),
        (Made(0.0), Made(-0.0), "Made.price"),
        (Made(1.0, [{"a": 1}]), Made(1.0, [{"a": 2}]), "Made.tags[0][...]"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "dict (a key)"),
        (Made(1.0, [1, 2]), Made(1.0, [1]), "Made.tags[1]: one lacks it"),
        (Plain(1), Plain(2), "Plain.count"),
        (Pair(1, 2), Pair(1, 3), "Pair.right"),
        (Bare([1]), Bare([2]), "Bare.of[0]"),
        (Slotted(1), Slotted(2), "Slotted.of"),
        (Refuses(1), Refuses(2), "Refuses.of"),
        (_ring(1), _ring(2), "Bare.of[1]"),
        (Decimal("1.0"), Decimal("1.00"), "Decimal"),
        (datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), "datetime"),
        (threading.Lock(), threading.Lock(), "lock"),
    ],
)
def test_what_differs_is_named_by_where_it_is_and_not_by_its_value(
    one: Any, other: Any, where: str
) -> None:
    assert difference(one, other) == where
