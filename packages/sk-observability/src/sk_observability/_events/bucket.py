"""A token bucket as pure functions of the time."""

from __future__ import annotations

from typing import Final

import msgspec

_TOKEN: Final = 1_000_000_000
"""The parts of one token, so that a nanosecond adds a whole number of parts, without rounding."""


class RateLimit(msgspec.Struct, frozen=True):
    """At most `burst` events at once, and `per_second` events a second in the long run."""

    per_second: int
    burst: int


class Bucket(msgspec.Struct, frozen=True):
    """The content of a bucket, in parts of a token, at a time in nanoseconds."""

    parts: int
    at_ns: int


def full_bucket(limit: RateLimit, now_ns: int) -> Bucket:
    """Return a full bucket."""
    return Bucket(limit.burst * _TOKEN, now_ns)


def take(bucket: Bucket, limit: RateLimit, now_ns: int) -> tuple[Bucket, bool]:
    """Return the bucket after one event at this time, and whether the event is within the limit.

    If the clock stands still or steps back the bucket is not filled; filling continues from
    `now_ns`.
    """
    filled = bucket.parts + max(0, now_ns - bucket.at_ns) * limit.per_second
    parts = min(filled, limit.burst * _TOKEN)
    if parts < _TOKEN:
        return Bucket(parts, now_ns), False
    return Bucket(parts - _TOKEN, now_ns), True
