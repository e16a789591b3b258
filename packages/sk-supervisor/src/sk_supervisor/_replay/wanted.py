"""Which record of an input is replayed: by its number, or by the id of its trace. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sk_kernel import Envelope, RunError
from sk_kernel.runtime import Batch, TraceIds, w3c_trace_id

from sk_supervisor.errors import (
    EarlierRecordError,
    NoSuchRecordError,
    NoSuchTraceError,
    SupervisorError,
)


class Wanted(Protocol):
    """The record that is wanted."""

    def row(self, batch: Batch, payloads: Sequence[Any]) -> int | None:
        """Its place in a batch of the source's; None where it is not in it."""

    def missing(self, read: int) -> SupervisorError:
        """What is said where none of the ``read`` records of the input is it."""

    def behind(self, error: RunError) -> EarlierRecordError:
        """What is said where one before it has failed."""


class ByNumber:
    """The record of this number, from 1."""

    def __init__(self, number: int) -> None:
        self._number = number

    def row(self, batch: Batch, payloads: Sequence[Any]) -> int | None:
        """See :class:`Wanted`."""
        return self._number - batch.first if batch.first <= self._number <= batch.last else None

    def missing(self, read: int) -> SupervisorError:
        """See :class:`Wanted`."""
        return NoSuchRecordError(self._number, read)

    def behind(self, error: RunError) -> EarlierRecordError:
        """See :class:`Wanted`."""
        return EarlierRecordError(f"record {self._number}", error)


class ByTrace:
    """The record whose trace has this id: as its envelope gave it, or as its run made it.

    :raises NoSuchTraceError: when the run made none such, and no envelope could give it.
    """

    def __init__(self, trace_id: str, run_id: str, *, enveloped: bool) -> None:
        self._trace_id, self._run_id, self._enveloped = trace_id, run_id, enveloped
        number = TraceIds(run_id).sequence_of(w3c_trace_id(trace_id))
        if number is None and not enveloped:
            raise NoSuchTraceError(trace_id, run_id)
        self._number = number or 0  # which is no record's

    def row(self, batch: Batch, payloads: Sequence[Any]) -> int | None:
        """See :class:`Wanted`."""
        if not self._enveloped:
            return ByNumber(self._number).row(batch, payloads)
        spans_have = w3c_trace_id(self._trace_id)
        for row, payload in enumerate(payloads):
            if type(payload) is Envelope and payload.trace_id:
                if w3c_trace_id(payload.trace_id) == spans_have:
                    return row
            elif batch.first + row == self._number:
                return row
        return None

    def missing(self, read: int) -> SupervisorError:
        """See :class:`Wanted`."""
        return NoSuchTraceError(self._trace_id, self._run_id, read)

    def behind(self, error: RunError) -> EarlierRecordError:
        """See :class:`Wanted`."""
        return EarlierRecordError(f"the record with the trace id {self._trace_id!r}", error)
