"""The record of an input to replay, selected by its number or its trace id. Pure."""

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
    """The record to replay."""

    def row(self, batch: Batch, payloads: Sequence[Any]) -> int | None:
        """Its index in a batch of the source; None if it is not in this batch."""

    def missing(self, read: int) -> SupervisorError:
        """The error for an input of ``read`` records that does not contain it."""

    def behind(self, error: RunError) -> EarlierRecordError:
        """The error for a record before it that failed."""


class ByNumber:
    """The record with this number, counted from 1."""

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
    """The record with this trace id, which its envelope gave or its run made.

    :raises NoSuchTraceError: when the run cannot have made it and the source emits no envelopes.
    """

    def __init__(self, trace_id: str, run_id: str, *, enveloped: bool) -> None:
        self._trace_id, self._run_id, self._enveloped = trace_id, run_id, enveloped
        number = TraceIds(run_id).sequence_of(w3c_trace_id(trace_id))
        if number is None and not enveloped:
            raise NoSuchTraceError(trace_id, run_id)
        self._number = number or 0  # 0 is not the number of any record

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
