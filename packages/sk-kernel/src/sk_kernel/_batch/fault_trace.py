"""The trace id of the record that an error is about, as spans and ``sk replay`` use it."""

from __future__ import annotations

from sk_kernel._batch.batch import Batch
from sk_kernel._record.envelope import root_of
from sk_kernel._record.ids import TraceIds
from sk_kernel._record.trace_context import w3c_trace_id
from sk_kernel.errors import RunError


def note_trace(error: RunError, batch: Batch, ids: TraceIds) -> None:
    """Set the error's ``trace_id`` to that of its record in this batch; None without a record."""
    if error.record is None:
        error.trace_id = None
        return
    given = batch.correlation(error.record).trace_id
    error.trace_id = w3c_trace_id(given) if given else ids.of(root_of(error.record))
