"""Replay of one record: run the graph up to it in this process, then record its path."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
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
    loop_if,
    make_plan,
    needs_loop,
    single_group,
)

from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._replay.call_recorder import CallRecorder, RecordedApplication, RecordedCall
from sk_supervisor._replay.wanted import ByNumber, ByTrace, Wanted

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, slots=True)
class RecordPath:
    """The path of one record: its payload at the source, the calls in order, spans and error."""

    sequence: int
    payload: Any
    calls: Sequence[RecordedCall]
    spans: Sequence[NodeSpan]
    error: RunError | None

    @property
    def trace_id(self) -> str:
        """The trace id in its spans."""
        return self.spans[0].trace_id


class _Spans:
    """An observer that keeps all spans."""

    def __init__(self) -> None:
        self.spans: list[NodeSpan] = []

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        self.spans += spans

    def close(self) -> None:
        """Nothing to export."""


def replay_record(prepared: Prepared, run_id: str, wanted: str | int) -> RecordPath:
    """Run the source's records up to and including the wanted one. The sink is not created.

    No node finishes, because the record comes before the end of the input.

    :param wanted: the number of the record, or its trace id: as in its spans and in the output of a
        failed run, or as given by an envelope.
    :raises NoSuchTraceError: when no record of this input has that trace id under this run id.
    :raises NoSuchRecordError: when the input has fewer records.
    :raises EarlierRecordError: when a record before it failed.
    :raises RunError: when the source failed.
    """
    graph = prepared.application.graph
    enveloped = graph.source.payload.enveloped
    record: Wanted = (
        ByNumber(wanted)
        if isinstance(wanted, int)
        else ByTrace(wanted, run_id, enveloped=enveloped)
    )
    with loop_if(needed=needs_loop(graph, graph.order)) as loop, ExitStack() as ends:
        replay = _Replay(prepared, run_id, loop, ends)
        replay.source.open()
        ends.callback(replay.source.close)
        return replay.up_to(record)


class _Replay:
    """The application without its sink; it records the path of one record.

    :param ends: closes the services; also if a node or the source cannot be created.
    """

    def __init__(
        self, prepared: Prepared, run_id: str, loop: asyncio.Runner | None, ends: ExitStack
    ) -> None:
        ids = TraceIds(run_id)
        self._recorder, self._spans = CallRecorder(), _Spans()
        spec = prepared.application.spec
        context = RecordedApplication(
            prepared.application, replace(spec, failure=_quiet(spec.failure)), self._recorder
        )
        graph = context.graph
        self._branching = graph.branching
        plan = make_plan(graph, single_group(graph, MEMORY), context.all_states)
        self._tracer = Tracer(plan, ids, [self._spans])
        container = context.container()
        ends.callback(container.close, loop)
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

    def up_to(self, wanted: Wanted) -> RecordPath:
        read = 0
        while True:
            batch, payloads = self.source.read()
            if batch.final:
                raise wanted.missing(read)
            read = batch.last
            row = wanted.row(batch, payloads)
            if row is None:
                self._before(batch, payloads, wanted)
                continue
            if row:
                before = Batch(batch.number, batch.first, batch.first + row - 1)
                self._before(before, payloads[:row], wanted)
            return self._path(batch.number + 1, batch.first + row, payloads[row])

    def _before(self, batch: Batch, payloads: Sequence[Any], wanted: Wanted) -> None:
        try:
            self._runner.read(batch, payloads)
        except AdapterFailedError:
            raise
        except RunError as error:
            raise wanted.behind(error) from error.__cause__

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
    """The failure policies with ``skip`` for ``dead_letter``: no dead letters are written."""
    return FailureSpec(
        _skipping(failure.default),
        {name: _skipping(own) for name, own in failure.nodes.items()},
    )


def _skipping(failure: NodeFailure) -> NodeFailure:
    return failure if failure.policy == "fail" else replace(failure, policy="skip")
