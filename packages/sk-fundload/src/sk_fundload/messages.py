"""The records that the nodes exchange: array-like structs of integers, short text and booleans.

They cross process boundaries as msgpack. Each has only the fields that later nodes need: the line's
number is only used to report an unreadable line. `Timed` and `Gated`, which do not leave their
group in the built-in configurations, contain the preceding record; the others are flat. ``day`` and
``week`` are defined in `sk_fundload.domain`: the ordinal of the UTC date, and of its week's first
day.
"""

from __future__ import annotations

from msgspec import Struct


class RawLine(Struct, frozen=True, array_like=True, gc=False):
    """A line of input without its end; ``line_no`` counts every line of the input from 1."""

    line_no: int
    data: bytes


class LoadAttempt(Struct, frozen=True, array_like=True, gc=False):
    """A readable line: ``cents`` to load at ``instant`` (microseconds since 0001-01-01 UTC)."""

    id: str
    customer_id: str
    cents: int
    instant: int


class Unreadable(Struct, frozen=True, array_like=True, gc=False):
    """A line that could not be read, or that came too late: the reason, the line's first 1 024
    bytes, and the ids that could be read (else empty)."""

    line_no: int
    id: str
    customer_id: str
    reason: str
    text: bytes


class Timed(Struct, frozen=True, array_like=True, gc=False):
    """An attempt with its UTC day and week; ``id`` is the attempt's id."""

    id: str
    attempt: LoadAttempt
    day: int
    week: int


class Gated(Struct, frozen=True, array_like=True, gc=False):
    """An attempt checked for its id: ``duplicate`` is empty for the first one, else a reason."""

    timed: Timed
    duplicate: str


class Featured(Struct, frozen=True, array_like=True, gc=False):
    """An attempt with its ``effective`` amount in cents, and whether its id is prime."""

    id: str
    customer_id: str
    effective: int
    day: int
    week: int
    is_prime: bool
    duplicate: str


class Judged(Struct, frozen=True, array_like=True, gc=False):
    """An attempt with its verdict: accepted if ``reason`` is empty. ``canonical``: no duplicate."""

    id: str
    customer_id: str
    effective: int
    day: int
    week: int
    is_prime: bool
    canonical: bool
    reason: str


class Decision(Struct, frozen=True, array_like=True, gc=False):
    """The decision on a readable attempt, after the windows were updated."""

    id: str
    customer_id: str
    accepted: bool
    reason: str


class OutputLine(Struct, frozen=True, array_like=True, gc=False):
    """A line of output with its LF, the reason why it declines (empty if it accepts), and, for an
    unreadable input line, the line of the rejects file with its LF (else empty)."""

    text: str
    reason: str
    reject: str = ""
