"""What a class must have to be a source or a sink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Source(Protocol):
    """What the runtime calls on a source, from one thread but for :meth:`interrupt`.

    Optional besides: ``open()`` acquires what reading needs, ``close()`` releases it;
    ``check(settings)`` is a class method that raises :class:`~sk_kernel.errors.CheckError`
    before anything is started; ``decode(raw)`` makes payloads of what :meth:`read` gave.
    """

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """Whatever is there now, at least one, at most about that much; empty at the end.

        Blocks only while there is nothing, and returns empty soon after :meth:`interrupt`.
        """

    def interrupt(self) -> None:
        """Make a blocked or later read return empty. Called from any thread; does not block.

        :meth:`close` waits for it for a second at most.
        """


class Sink(Protocol):
    """What the runtime calls on a sink, from one thread.

    Optional besides: ``open()`` acquires what writing needs. At the end comes ``commit()``, which
    puts the output in place, or, where the run failed or was stopped, ``abort()``, which leaves the
    target as it was and keeps what is written: a sink has both or neither. ``close()`` releases
    what it holds, and is the last that is called, whatever came of ``open()`` and of the run.
    ``partial_outputs()`` tells where unfinished output is, once open, ``summary()`` the counters
    for the run's report. ``check(settings)`` is as for a source; ``encode(payloads)`` makes what
    :meth:`write` takes.
    """

    def write(self, chunk: Any) -> None:
        """Write one batch, in order."""
