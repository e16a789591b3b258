"""Functions wrapped as sources and sinks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from sk_kernel._declare.specs import AdapterSpec, SourceSpec

#: How long, in seconds, a read collects items; a single item may take longer.
_READ_SECONDS = 0.01
#: How many items a read takes before it checks the clock again: one, plus one for each 1024 that
#: came without a pause, at most 64. If a pause begins among them, those already taken wait for the
#: last one, so they are few compared with those before.
_PART_UNSEEN, _MOST_UNSEEN = 1024, 64


class GeneratorSource:
    """A generator function as a :class:`Source`.

    A generator cannot say whether its next item is ready. So a read returns after the first item
    that exceeds its time limit: slow items are passed on one by one. While items come fast, each
    read may return twice as many as the one before.
    """

    def __init__(
        self, make: Callable[[], Iterator[Any]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make, self._clock = make, clock
        self._items: Iterator[Any] = iter(())
        self._held: list[Any] = []
        self._size = self._bytes_each = 1
        #: How many items have come since the last pause.
        self._quick = 0
        self._stopped = False

    def open(self) -> None:
        """Start the generator."""
        self._items = self._make()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """Return the next items, as many as come within the time limit of a read.

        The encoded size of the last one limits how many the next read returns.
        """
        size = max(1, min(self._size, max_records, max_bytes // self._bytes_each))
        items, in_time = self._collected(size, self._clock() + _READ_SECONDS)
        if items:
            self._bytes_each = _encoded_bytes(items[-1])
        self._size = 2 * size if in_time else len(items)
        self._quick = self._quick + len(items) if in_time else 0
        return items

    def _collected(self, size: int, until: float) -> tuple[list[Any], bool]:
        """Return the next items, at most ``size``, and whether the last of them was in time."""
        items: list[Any] = []
        self._held = items
        in_time = True
        while in_time and not self._stopped and len(items) < size:
            wanted = min(size - len(items), unseen_after(self._quick))
            before = len(items)
            items += itertools.islice(self._items, wanted)  # an exception leaves those before it
            in_time = self._clock() <= until
            if len(items) - before < wanted:
                break
        return items, in_time

    def held(self) -> Sequence[Any]:
        """Return the items of the read that is in progress or was broken off. Any thread."""
        return self._held[:]

    def take(self) -> Sequence[Any]:
        """Return these items and forget them. For the thread that reads."""
        held, self._held = self._held, []
        return held

    def interrupt(self) -> None:
        """Make reads return no further items, except the one that is being produced now."""
        self._stopped = True

    def close(self) -> None:
        """Close the generator, so that its ``finally`` blocks run."""
        close = getattr(self._items, "close", None)
        if close:
            close()


def unseen_after(quick: int) -> int:
    """How many items to take before the next clock check, after ``quick`` without a pause."""
    return min(1 + quick // _PART_UNSEEN, _MOST_UNSEEN)


def _encoded_bytes(item: Any) -> int:
    """Estimate how many bytes an item takes on the wire; 1 if it cannot be encoded."""
    try:
        return len(msgspec.msgpack.encode(item))
    except Exception:  # noqa: BLE001 - an unset field, a failing tzinfo: it is an estimate
        return 1


class FunctionSink:
    """A function of one payload as a :class:`Sink`; it has nothing to commit or abort."""

    def __init__(self, function: Callable[[Any], None]) -> None:
        self._function = function
        self._written = 0

    def write(self, chunk: Sequence[Any]) -> None:
        """Call the function on each payload, in order."""
        for payload in chunk:
            self._function(payload)
        self._written += len(chunk)

    def summary(self) -> dict[str, int]:
        """Return how many payloads were written."""
        return {"written": self._written}


def adapt(spec: AdapterSpec, instance_or_call: Any) -> Any:
    """Return the object that the runtime drives: an instance as it is, a function wrapped."""
    if spec.is_class:
        return instance_or_call
    if isinstance(spec, SourceSpec):
        return GeneratorSource(instance_or_call)
    return FunctionSink(instance_or_call)
