"""The total time in which at least one span of a trace was running, built span by span. Pure."""

from __future__ import annotations

from array import array

_FEW = 32
"""The number of unsorted stretches that are collected before they are joined."""


class Stretches:
    """A set of time intervals. Overlapping ones are joined, so it stays small with many spans."""

    __slots__ = ("_most", "_times")

    def __init__(self, kept: bytes = b"") -> None:
        self._times = array("q", kept)
        self._most = _FEW

    def add(self, start_ns: int, end_ns: int) -> None:
        """Add an interval; one that does not end after its start is ignored."""
        times = self._times
        if end_ns <= start_ns:
            return
        if times and times[-2] <= start_ns <= times[-1]:
            times[-1] = max(times[-1], end_ns)
            return
        times.append(start_ns)
        times.append(end_ns)
        if len(times) > self._most:
            self.join()

    def kept(self) -> bytes:
        """The intervals as bytes, which can be stored and combined with :func:`joined`."""
        return self._times.tobytes()

    def total_ns(self) -> int:
        """The total length of the intervals; overlaps count once."""
        self.join()
        return sum(self._times[1::2]) - sum(self._times[::2])

    def join(self) -> None:
        """Sort the intervals, and join those that overlap or touch."""
        found = array("q")
        for start_ns, end_ns in sorted(zip(self._times[::2], self._times[1::2], strict=True)):
            if found and start_ns <= found[-1]:
                found[-1] = max(found[-1], end_ns)
            else:
                found.append(start_ns)
                found.append(end_ns)
        self._times, self._most = found, 2 * len(found) + _FEW


def joined(one: bytes, other: bytes) -> bytes:
    """The union of two sets of intervals, all as bytes."""
    both = Stretches(one + other)
    both.join()
    return both.kept()


def total_ns(kept: bytes) -> int:
    """The total length of a set of intervals, given as bytes."""
    return Stretches(kept).total_ns()
