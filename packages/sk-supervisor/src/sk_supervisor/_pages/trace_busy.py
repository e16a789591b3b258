"""The time in which at least one of a trace's spans was under way, span by span. Pure."""

from __future__ import annotations

from array import array

_FEW = 32
"""The stretches that are kept as they came, before they are joined."""


class Stretches:
    """Stretches of time, joined where they meet: so they are few, however many spans there are."""

    __slots__ = ("_most", "_times")

    def __init__(self, kept: bytes = b"") -> None:
        self._times = array("q", kept)
        self._most = _FEW

    def add(self, start_ns: int, end_ns: int) -> None:
        """Add a stretch; one that ends before it begins is none."""
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
        """What can be kept elsewhere, and added to others: see :func:`joined`."""
        return self._times.tobytes()

    def total_ns(self) -> int:
        """How long they are, what is in several of them counted once."""
        self.join()
        return sum(self._times[1::2]) - sum(self._times[::2])

    def join(self) -> None:
        """Put those that meet into one, in the order of time."""
        found = array("q")
        for start_ns, end_ns in sorted(zip(self._times[::2], self._times[1::2], strict=True)):
            if found and start_ns <= found[-1]:
                found[-1] = max(found[-1], end_ns)
            else:
                found.append(start_ns)
                found.append(end_ns)
        self._times, self._most = found, 2 * len(found) + _FEW


def joined(one: bytes, other: bytes) -> bytes:
    """What is kept of two, as of one."""
    both = Stretches(one + other)
    both.join()
    return both.kept()


def total_ns(kept: bytes) -> int:
    """How long are the stretches of which this is kept."""
    return Stretches(kept).total_ns()
