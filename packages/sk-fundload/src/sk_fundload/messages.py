"""What travels between the nodes: array-like records of integers, short text and booleans.

They cross process borders as msgpack. Each carries what a later node needs and no more: the line's
number is for the account of an unreadable line alone. `Timed` and `Gated`, which do not leave
their group in the built-in configurations, hold what came before them; the others are flat.
``day`` and ``week`` are those of `sk_fundload.domain`: ordinals of a UTC date, and of its week's
first day.
"""

from __future__ import annotations

from msgspec import Struct


class RawLine(Struct, frozen=True, array_like=True, gc=False):
    """A line of input without its end; ``line_no`` counts every line of the input from 1."""

    line_no: int
    data: bytes


class LoadAttempt(Struct, frozen=True, array_like=True, gc=False):
    """A line that could be read: ``cents`` to load at ``instant`` (microseconds since year 1)."""

    id: str
    customer_id: str
    cents: int
    instant: int


class Unreadable(Struct, frozen=True, array_like=True, gc=False):
    """A line that could not be read, or comes too late to be counted: why, its first 1 024 bytes,
    and the ids that could be read."""

    line_no: int
    id: str
    customer_id: str
    reason: str
    text: bytes


class Timed(Struct, frozen=True, array_like=True, gc=False):
    """An attempt with its UTC day and week; the ``id`` is the attempt's."""

    id: str
    attempt: LoadAttempt
    day: int
    week: int


class Gated(Struct, frozen=True, array_like=True, gc=False):
    """An attempt told apart: ``duplicate`` is empty for the first one with its id, else why not."""

    timed: Timed
    duplicate: str


class Featured(Struct, frozen=True, array_like=True, gc=False):
    """An attempt with the amount that counts (``effective`` cents) and whether its id is prime."""

    id: str
    customer_id: str
    effective: int
    day: int
    week: int
    is_prime: bool
    duplicate: str


class Judged(Struct, frozen=True, array_like=True, gc=False):
    """An attempt with its verdict: an empty ``reason`` accepts. ``canonical``: no duplicate."""

    id: str
    customer_id: str
    effective: int
    day: int
    week: int
    is_prime: bool
    canonical: bool
    reason: str


class Decision(Struct, frozen=True, array_like=True, gc=False):
    """The verdict on an attempt that could be read; the windows know about it already."""

    id: str
    customer_id: str
    accepted: bool
    reason: str


class OutputLine(Struct, frozen=True, array_like=True, gc=False):
    """A line of output with its LF, why it declines (empty: it accepts), and, where the input line
    could not be read, the line of the rejects file with its LF (else empty)."""

    text: str
    reason: str
    reject: str = ""
