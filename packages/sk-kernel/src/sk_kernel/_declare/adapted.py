"""Functions wrapped as sources and sinks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from sk_kernel._declare.specs import AdapterSpec, SourceSpec

#: For how many seconds a read collects items; a single item may take longer.
_READ_SECONDS = 0.01
#: Between two looks at the clock a read takes one item, and one more for each 1 024 that have come
#: without a pause, 64 at most. If a pause begins among them, what has come already waits for the
#: last of them: so they are few beside what came before.
_PART_UNSEEN, _MOST_UNSEEN = 1024, 64


class GeneratorSource:
    """A generator function as a :class:`Source`.

    A generator cannot say whether its next item is ready, so a read ends with the item during which
    its time is up: a slow one is passed on item by item. While items come fast each read may give
    twice as many as the one before.
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
        """The next items, as many as come within the time for a read.

        How many bytes the last one takes says how many there may be next time.
        """
        size = max(1, min(self._size, max_records, max_bytes // self._bytes_each))
        items, in_time = self._collected(size, self._clock() + _READ_SECONDS)
        if items:
            self._bytes_each = _encoded_bytes(items[-1])
        self._size = 2 * size if in_time else len(items)
        self._quick = self._quick + len(items) if in_time else 0
        return items

    def _collected(self, size: int, until: float) -> tuple[list[Any], bool]:
        """The next items, ``size`` at most; and whether the last of them was in time."""
        items: list[Any] = []
        self._held = items
        in_time = True
        while in_time and not self._stopped and len(items) < size:
            wanted = min(size - len(items), unseen_after(self._quick))
            before = len(items)
            items += itertools.islice(self._items, wanted)  # which keeps what comes before it ends
            in_time = self._clock() <= until
            if len(items) - before < wanted:
                break
        return items, in_time

    def held(self) -> Sequence[Any]:
        """What the read that is under way, or was broken off, has so far. Any thread."""
        return self._held[:]

    def take(self) -> Sequence[Any]:
        """The same, which is held no longer. The thread that reads."""
        held, self._held = self._held, []
        return held

    def interrupt(self) -> None:
        """Give no further items; one that is being made now is still given."""
        self._stopped = True

    def close(self) -> None:
        """Let the generator run its ``finally`` blocks."""
        close = getattr(self._items, "close", None)
        if close:
            close()


def unseen_after(quick: int) -> int:
    """How many items to take without a look at the clock, when ``quick`` came without a pause."""
    return min(1 + quick // _PART_UNSEEN, _MOST_UNSEEN)


def _encoded_bytes(item: Any) -> int:
    """About how many bytes an item takes on the wire; one if it can go to no other process."""
    try:
        return len(msgspec.msgpack.encode(item))
    except Exception:  # noqa: BLE001 - a field that is not set, a tzinfo's own: it is an estimate
        return 1


class FunctionSink:
    """A function of one payload as a :class:`Sink`; it has nothing to put in place or to undo."""

    def __init__(self, function: Callable[[Any], None]) -> None:
        self._function = function
        self._written = 0

    def write(self, chunk: Sequence[Any]) -> None:
        """Call the function on each payload, in order."""
        for payload in chunk:
            self._function(payload)
        self._written += len(chunk)

    def summary(self) -> dict[str, int]:
        """How many payloads were written."""
        return {"written": self._written}


def adapt(spec: AdapterSpec, instance_or_call: Any) -> Any:
    """The object that the runtime drives: an instance as it is, a function wrapped."""
    if spec.is_class:
        return instance_or_call
    if isinstance(spec, SourceSpec):
        return GeneratorSource(instance_or_call)
    return FunctionSink(instance_or_call)
