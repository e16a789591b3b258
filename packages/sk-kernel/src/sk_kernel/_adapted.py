"""Functions dressed as sources and sinks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from sk_kernel._specs import AdapterSpec, SourceSpec


class GeneratorSource:
    """A generator function as a :class:`Source`; its position is the number of items given.

    A generator cannot say whether its next item is ready, so the batch grows while items come fast
    and shrinks to one while they come slowly: a slow one is passed on item by item.
    """

    _SLOW_SECONDS = 0.01

    def __init__(self, make: Callable[[], Iterator[Any]]) -> None:
        self._make = make
        self._items: Iterator[Any] = iter(())
        self._given = 0
        self._size = self._bytes_each = 1
        self._stopped = False

    def open(self) -> None:
        """Start the generator."""
        self._items = self._make()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """The next items, as many as came fast enough so far; the last one tells the next size."""
        if self._stopped:
            return ()
        started = time.monotonic()
        size = max(1, min(self._size, max_records, max_bytes // self._bytes_each))
        items = list(itertools.islice(self._items, size))
        if items:
            self._bytes_each = _encoded_bytes(items[-1])
        slow = time.monotonic() - started > self._SLOW_SECONDS
        self._size = 1 if slow else size * 2
        self._given += len(items)
        return items

    def position(self) -> int:
        """How many items were given."""
        return self._given

    def seek(self, position: int) -> None:
        """Skip the first ``position`` items."""
        self._given = sum(1 for _ in itertools.islice(self._items, position))

    def interrupt(self) -> None:
        """Give no further items; one that is being made now is still given."""
        self._stopped = True

    def close(self) -> None:
        """Let the generator run its ``finally`` blocks."""
        close = getattr(self._items, "close", None)
        if close:
            close()


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

    def open(self) -> None:
        """Nothing to acquire."""

    def write(self, chunk: Sequence[Any]) -> None:
        """Call the function on each payload, in order."""
        for payload in chunk:
            self._function(payload)
        self._written += len(chunk)

    def commit(self) -> None:
        """The calls were final."""

    def abort(self) -> None:
        """The calls were final."""

    def partial_outputs(self) -> tuple[str, ...]:
        """None."""
        return ()

    def summary(self) -> dict[str, int]:
        """How many payloads were written."""
        return {"written": self._written}


def adapt(spec: AdapterSpec, instance_or_call: Any) -> Any:
    """The object that the runtime drives: an instance as it is, a function in its dress."""
    if spec.is_class:
        return instance_or_call
    if isinstance(spec, SourceSpec):
        return GeneratorSource(instance_or_call)
    return FunctionSink(instance_or_call)
