"""What an attack is: a name, what it does, what must happen, and its strikes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

A = TypeVar("A")


class Port(StrEnum):
    """What an attack is aimed at."""

    DATA = "data"
    CONTROL = "control"
    CONTROL_RAW = "control, below gRPC"


class Ending(StrEnum):
    """What an attacker does when all is sent."""

    WAIT = "wait"
    HALF_CLOSE = "half_close"
    DRIP = "drip"
    """It sends a byte at a time, for as long as it is let."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One connection or stream: what is sent on it, and which ends of it are right.

    At the data port an end is `hung_up`, and `refused` holds the categories of which one is
    counted there (nothing is counted where it is empty). At the control port an end is
    `category/code` or a status of gRPC.
    """

    data: bytes
    ends: frozenset[str] = frozenset({"hung_up"})
    refused: frozenset[str] = frozenset()
    ending: Ending = Ending.WAIT


@dataclass(frozen=True, slots=True)
class Attack(Generic[A]):
    """A case of the corpus. `width` is how many of its strikes are under way at once.

    `strikes` makes them from what the attacker has at hand.
    """

    name: str
    does: str
    must: str
    port: Port
    strikes: Callable[[A], Iterable[Strike]]
    width: int = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack led to: how its strikes ended, and how many of them ended wrongly."""

    name: str
    port: Port
    must: str
    ends: Counter[str]
    wrong: int

    @property
    def ok(self) -> bool:
        """Whether every strike ended as it must, and there was one."""
        return self.wrong == 0 and self.ends.total() > 0


def judged(attack: Attack[A], struck: Iterable[tuple[Strike, str]]) -> Outcome:
    """Compare how strikes ended with how they must."""
    ends: Counter[str] = Counter()
    wrong = 0
    for strike, end in struck:
        ends[end] += 1
        wrong += end not in strike.ends
    return Outcome(attack.name, attack.port, attack.must, ends, wrong)


def any_of(*words: str) -> frozenset[str]:
    """Give a set, for tables."""
    return frozenset(words)
