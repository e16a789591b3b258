"""Replaying one record: the graph in this process up to it, and then its path, node by node."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from sk_kernel import AdapterFailedError, Envelope, FailureSpec, NodeFailure, NodeSpan, RunError
from sk_kernel.runtime import (
    MEMORY,
    SINK,
    Batch,
    Identity,
    SegmentRunner,
    SourceDriver,
    TraceIds,
    Tracer,
    make_plan,
    single_group,
    w3c_trace_id,
)

from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._replay.call_recorder import CallRecorder, RecordedApplication, RecordedCall
from sk_supervisor._system.loops import loop_for
from sk_supervisor.errors import EarlierRecordError, NoSuchTraceError

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, slots=True)
class RecordPath:
    """What one record did: what the source gave, its calls in order, its spans, and its end."""

    sequence: int
    payload: Any
    calls: Sequence[RecordedCall]
    spans: Sequence[NodeSpan]
    error: RunError | None


class _Spans:
    """An observer that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[NodeSpan] = []

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        self.spans += spans

    def close(self) -> None:
        """Nothing to export."""


def replay_trace(prepared: Prepared, run_id: str, trace_id: str) -> RecordPath:
    """Run the source's records up to the one with this trace id; the sink is not made.

    No node finishes: the record is not behind the end of the input.

    :param trace_id: as spans have it, and the last words of a run; or as an envelope gave it.
    :raises NoSuchTraceError: when there is none in this input under this run id.
    :raises EarlierRecordError: when a record before it failed.
    :raises RunError: when the source failed.
    """
    ids = TraceIds(run_id)
    wanted = ids.sequence_of(w3c_trace_id(trace_id))
    graph = prepared.application.graph
    if wanted is None and not graph.source.payload.enveloped:
        raise NoSuchTraceError(trace_id, run_id)
    with loop_for(graph) as loop:
        replay = _Replay(prepared, run_id, ids, loop)
        replay.source.open()
        try:
            return replay.up_to(wanted, trace_id)
        finally:
            replay.source.close()


class _Replay:
    def __init__(
        self, prepared: Prepared, run_id: str, ids: TraceIds, loop: asyncio.Runner | None
    ) -> None:
        self._ids, self._run_id = ids, run_id
        self._recorder, self._spans = CallRecorder(), _Spans()
        spec = prepared.application.spec
        context = RecordedApplication(
            prepared.application, replace(spec, failure=_quiet(spec.failure)), self._recorder
        )
        graph = context.graph
        self._branching, self._enveloped = graph.branching, graph.source.payload.enveloped
        plan = make_plan(graph, single_group(graph, MEMORY), context.all_states)
        self._tracer = Tracer(plan, ids, [self._spans])
        container = context.container()
        source = context.make_source(container)
        self.source = SourceDriver(graph, source, prepared.limits, ids, sampling=False)
        self._runner = SegmentRunner(
            context,
            plan,
            plan.segments[0],
            container,
            Identity(run_id, spec.scenario, MEMORY, ids),
            tracer=self._tracer,
            write=self._write,
            loop=loop,
        )

    def up_to(self, wanted: int | None, trace_id: str) -> RecordPath:
        read = 0
        while True:
            batch, payloads = self.source.read()
            if batch.final:
                raise NoSuchTraceError(trace_id, self._run_id, read)
            read = batch.last
            row = self._row(batch, payloads, wanted, trace_id)
            if row is None:
                self._before(batch, payloads, trace_id)
                continue
            if row:
                before = Batch(batch.number, batch.first, batch.first + row - 1)
                self._before(before, payloads[:row], trace_id)
            return self._path(batch.number + 1, batch.first + row, payloads[row])

    def _before(self, batch: Batch, payloads: Sequence[Any], trace_id: str) -> None:
        try:
            self._runner.read(batch, payloads)
        except AdapterFailedError:
            raise
        except RunError as error:
            raise EarlierRecordError(trace_id, error) from error.__cause__

    def _row(
        self, batch: Batch, payloads: Sequence[Any], wanted: int | None, trace_id: str
    ) -> int | None:
        """The record's place in the batch; its trace id is its envelope's or its sequence's."""
        if not self._enveloped:
            here = wanted is not None and batch.first <= wanted <= batch.last
            return wanted - batch.first if wanted is not None and here else None
        spans_have = w3c_trace_id(trace_id)
        for row, payload in enumerate(payloads):
            if type(payload) is Envelope and payload.trace_id:
                if w3c_trace_id(payload.trace_id) == spans_have:
                    return row
            elif batch.first + row == wanted:
                return row
        return None

    def _path(self, number: int, sequence: int, payload: Any) -> RecordPath:
        now = time.time_ns()
        self._tracer.flush()
        self._spans.spans.clear()  # of the failures of records before it
        given = payload.trace_id if type(payload) is Envelope else None
        key = (sequence,) if self._branching else sequence
        self._tracer.read([(key, given)], (now, now))
        batch = Batch(number, sequence, sequence, sampled=frozenset([sequence]))
        self._recorder.armed = True
        failure: RunError | None = None
        try:
            self._runner.read(batch, [payload])
        except AdapterFailedError:
            raise
        except RunError as error:
            failure = error
        self._tracer.flush()
        return RecordPath(sequence, payload, self._recorder.calls, self._spans.spans, failure)

    def _write(self, payloads: Sequence[Any]) -> None:
        if self._recorder.armed:
            self._recorder.calls += [RecordedCall(SINK, payload) for payload in payloads]


def _quiet(failure: FailureSpec) -> FailureSpec:
    """The same records given up, and no file of them."""
    return FailureSpec(
        _skipping(failure.default),
        {name: _skipping(own) for name, own in failure.nodes.items()},
    )


def _skipping(failure: NodeFailure) -> NodeFailure:
    return failure if failure.policy == "fail" else replace(failure, policy="skip")
