"""A token bucket, as a pure function of the time."""

from __future__ import annotations

from typing import Final

import msgspec

_TOKEN: Final = 1_000_000_000
"""One token, in parts: each nanosecond then fills a whole number of them, without rounding."""


class RateLimit(msgspec.Struct, frozen=True):
    """At most `burst` events at once, and `per_second` events a second in the long run."""

    per_second: int
    burst: int


class Bucket(msgspec.Struct, frozen=True):
    """How many parts of a token there were at a time, in nanoseconds."""

    parts: int
    at_ns: int


def full_bucket(limit: RateLimit, now_ns: int) -> Bucket:
    """Give the bucket to begin with."""
    return Bucket(limit.burst * _TOKEN, now_ns)


def take(bucket: Bucket, limit: RateLimit, now_ns: int) -> tuple[Bucket, bool]:
    """Give the bucket after one event at this time, and whether the event is within the limit.

    While time stands still or steps back nothing is filled; it is filled on from there.
    """
    filled = bucket.parts + max(0, now_ns - bucket.at_ns) * limit.per_second
    parts = min(filled, limit.burst * _TOKEN)
    if parts < _TOKEN:
        return Bucket(parts, now_ns), False
    return Bucket(parts - _TOKEN, now_ns), True
