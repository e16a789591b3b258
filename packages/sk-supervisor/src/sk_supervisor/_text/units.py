"""Durations, times and amounts in readable form. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_MILLI, _SECOND = 1_000_000, 1_000_000_000
_UNITS = (("ns", 1), ("\N{MICRO SIGN}s", 1_000), ("ms", _MILLI), ("s", _SECOND))


def lasting(nanoseconds: int) -> str:
    """Format a duration in the unit that suits it, with three digits."""
    if nanoseconds < 1_000:
        return f"{nanoseconds} ns"
    # The unit is the largest one in which the rounded duration is at least 1.
    name, size = [unit for unit in _UNITS if nanoseconds >= 0.9995 * unit[1]][-1]
    value = nanoseconds / size
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {name}"


def moment(time_ns: int) -> str:
    """Format a time since the epoch in UTC, to the millisecond."""
    seconds, rest = divmod(time_ns, _SECOND)
    when = datetime.fromtimestamp(seconds, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S}.{rest // _MILLI:03d} UTC"


def records(count: int) -> str:
    """Format a number of records."""
    return f"{count:,} {'record' if count == 1 else 'records'}"


def items_at_hand(waiting: int) -> str:
    """Format the length of a worker's queue: batches, request frames and supervisor messages."""
    return f"{waiting:,} {'item' if waiting == 1 else 'items'} of work at hand"


def no_progress(seconds: float, limit: float, waiting: int, position: str) -> str:
    """Describe a stuck worker, for the screen and for the error of its failure."""
    still = f"no progress for {seconds:.1f} s (stuck_after_seconds: {limit:g})"
    return f"{still} with {items_at_hand(waiting)}{f', in {position}' if position else ''}"
