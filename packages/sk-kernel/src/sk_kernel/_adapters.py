"""What a class must have to be a source or a sink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Source(Protocol):
    """What the runtime calls on a source, from one thread but for :meth:`interrupt`.

    Optional besides: ``check(settings)``, a class method that raises
    :class:`~sk_kernel.errors.AdapterCheckError` before anything is started, and ``decode(raw)``.
    """

    def open(self) -> None:
        """Acquire what reading needs."""

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """Whatever is there now, at least one, at most about that much; empty at the end.

        Blocks only while there is nothing, and returns empty soon after :meth:`interrupt`.
        """

    def position(self) -> Any:
        """Where the next read begins, as a value that :meth:`seek` takes."""

    def seek(self, position: Any) -> None:
        """Begin at ``position``; called before the first read."""

    def interrupt(self) -> None:
        """Make a blocked or later read return empty. Called from any thread."""

    def close(self) -> None:
        """Release what :meth:`open` acquired."""


class Sink(Protocol):
    """What the runtime calls on a sink, from one thread.

    Optional besides: ``check(settings)``, as for a source, and ``encode(payloads)``.
    """

    def open(self) -> None:
        """Acquire what writing needs; the target stays as it is until :meth:`commit`."""

    def write(self, chunk: Any) -> None:
        """Write one batch, in order."""

    def commit(self) -> None:
        """The run is complete: put the output in place."""

    def abort(self) -> None:
        """The run failed or was stopped: leave the target as it was, keep what is written."""

    def partial_outputs(self) -> tuple[str, ...]:
        """Where unfinished output is, once open; empty when there is none."""

    def summary(self) -> dict[str, int]:
        """Counters for the run's report."""
