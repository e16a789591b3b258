"""The methods of a source and of a sink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Source(Protocol):
    """The methods that the runtime calls on a source, all from one thread except ``interrupt``.

    These methods are optional:

    - ``open()`` acquires the resources that reading needs, ``close()`` releases them.
    - ``check(settings)``, a class method, raises :class:`~sk_kernel.errors.CheckError` if the
      settings are wrong. It is called before anything is started.
    - ``decode(raw)`` converts the result of :meth:`read` to payloads.
    """

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """Return the records that are available now, at least one; an empty sequence at the end.

        Both limits are approximate. It may block only while no record is available, and must return
        an empty sequence soon after :meth:`interrupt`.
        """

    def interrupt(self) -> None:
        """Make a blocked or later :meth:`read` return an empty sequence.

        It is called from any thread and must not block. ``close`` waits at most one second for it.
        """


class Sink(Protocol):
    """The methods that the runtime calls on a sink, all from one thread.

    These methods are optional:

    - ``open()`` acquires the resources that writing needs.
    - ``commit()`` puts the output in place at the end of a complete run. ``abort()`` is called
      instead if the run failed or was stopped: it leaves the target as it was and keeps the data
      that is written. A sink has both methods or neither.
    - ``close()`` releases the resources. It is the last call, whatever the result of ``open()`` and
      of the run.
    - ``partial_outputs()`` returns the places of unfinished output, from ``open()`` on.
    - ``summary()`` returns the counters for the run's report.
    - ``check(settings)`` is the same as for a :class:`Source`.
    - ``encode(payloads)`` converts payloads to the argument of :meth:`write`.
    """

    def write(self, chunk: Any) -> None:
        """Write one batch, in order."""
