"""Spans told to a tracer of the OpenTracing API."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from opentracing.mocktracer import MockTracer
from sk_kernel import NodeSpan, SpanLink
from sk_observability import (
    ExporterCounts,
    ExporterSetupError,
    build_span_exporters,
    check_exporters,
)

MakeSpan = Callable[..., NodeSpan]
InTime = Callable[[Callable[[], Any]], None]
HERE = "runtime.observability.tracing.exporters[0]"
MODULE = "somebodys_tracers"
#: A module of somebody's, with factories of tracers. It keeps what it made.
TRACERS = """
from opentracing.mocktracer import MockTracer
made = []

class Other(MockTracer):
    def __init__(self, name="", fails_at=None, closes_after=None):
        super().__init__()
        self.closing = Closing(closes_after) if closes_after is not None else None
        self.name, self.fails_at, self.closed, self.asked = name, fails_at, 0, []
    def start_span(self, operation_name=None, references=None, **options):
        if self.fails_at == operation_name:
            raise RuntimeError("s3cr3t")
        self.asked.append((operation_name, list(references or ())))
        return super().start_span(operation_name, references=references, **options)
    def close(self):
        self.closed += 1
        return self.closing

class Closing:
    def __init__(self, glances):
        self.glances = glances
    def done(self):
        self.glances -= 1
        return self.glances <= 0

def tracer(**arguments):
    made.append(Other(**arguments))
    return made[-1]

def broken():
    raise RuntimeError("no collector")
"""


@pytest.fixture
def tracers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The tracers that the module `somebodys_tracers` has made."""
    (tmp_path / "somebodys_tracers.py").write_text(TRACERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield import_module(MODULE).made
    del sys.modules["somebodys_tracers"]


def told(spans: Sequence[NodeSpan], **settings: Any) -> ExporterCounts:
    """Tell a tracer of the spans, and close it; the counts."""
    choice = {"tracer": "somebodys_tracers:tracer", "shutdown_timeout_seconds": 30, **settings}
    [outlet] = build_span_exporters([("opentracing_bridge", choice)], worker="policy-0.1")
    outlet.export(spans)
    outlet.close()
    return outlet.counts


@pytest.mark.contract("P5PRE-OBS-02")
def test_a_span_becomes_operation_times_tags_and_a_log_of_its_error(
    tracers: list[MockTracer], span: MakeSpan
) -> None:
    sent = span(
        7,
        name="score",
        parent_id="0123456789abcdef",
        process_group="policy",
        handoff_from="ingress",
        route_hop=2,
        error="ValueError",
        kind="consumer",
        attributes={"messaging.batch.message_count": 3},
    )
    assert told([sent]) == ExporterCounts("opentracing_bridge", created=1, exported=1)
    [got] = tracers[0].finished_spans()
    assert (got.operation_name, got.start_time, got.finish_time) == ("score", 1e-6, 3.5e-6)
    assert got.tags == {
        "component": "stream_kernel",
        "span.kind": "consumer",
        "error": True,
        "error.type": "ValueError",
        "trace_id": sent.trace_id,
        "span_id": sent.span_id,
        "parent_id": sent.parent_id,
        "process_group": "policy",
        "handoff_from": "ingress",
        "route_hop": 2,
        "sequence": 7,
        "worker": "policy-0.1",
        "messaging.batch.message_count": 3,
    }
    [log] = got.logs
    assert (log.key_values, log.timestamp) == (
        {"event": "error", "error.kind": "ValueError"},
        3.5e-6,
    )


@pytest.mark.contract("P5PRE-OBS-02")
def test_a_parent_and_a_link_that_were_told_before_are_references(
    tracers: list[Any], span: MakeSpan
) -> None:
    parent, other = span(1, name="parent"), span(2, name="other")
    child = span(
        3,
        name="child",
        parent_id=parent.span_id,
        links=(SpanLink(other.trace_id, other.span_id), SpanLink("e" * 32, "f" * 16)),
    )
    told([parent, other, child])
    first, second, third = tracers[0].finished_spans()
    assert (third.parent_id, third.context.trace_id) == (
        first.context.span_id,
        first.context.trace_id,
    )
    name, references = tracers[0].asked[2]
    assert (name, [(each.type, each.referenced_context) for each in references]) == (
        "child",
        [("child_of", first.context), ("follows_from", second.context)],
    )


@pytest.mark.contract("P5PRE-OBS-02")
def test_the_same_spans_are_told_in_the_same_way_and_order(
    tracers: list[MockTracer], span: MakeSpan
) -> None:
    spans = [span(n, parent_id=f"{n - 1:016x}" if n > 1 else None) for n in range(1, 50)]
    told(spans[:20] + spans[20:])
    told(spans)
    one, other = (
        [
            (s.operation_name, s.tags, s.parent_id, s.context.trace_id, s.start_time)
            for s in tracer.finished_spans()
        ]
        for tracer in tracers
    )
    assert one == other
    assert [tags["sequence"] for _, tags, *_ in one] == list(range(1, 50))


def test_with_a_carrier_one_trace_runs_through_the_processes(
    tracers: list[MockTracer], span: MakeSpan
) -> None:
    carrier = {"ot-tracer-traceid": "{trace_id}", "ot-tracer-spanid": "{span_id}"}
    root = span(1, trace_id="a" * 32, span_id="b" * 16)
    child = span(1, trace_id="a" * 32, span_id="c" * 16, parent_id="b" * 16)
    told([root], carrier=carrier)
    told([child], carrier=carrier)  # in another process, by another tracer
    [first], [second] = (tracer.finished_spans() for tracer in tracers)
    assert first.context.trace_id == second.context.trace_id == int("a" * 32, 16)
    assert second.parent_id == int("b" * 16, 16)


def test_arguments_reach_the_factory_and_a_tracer_is_closed_at_the_end(
    tracers: list[Any], span: MakeSpan
) -> None:
    told([span(1)], arguments={"name": "legacy"})
    assert (tracers[0].name, tracers[0].closed) == ("legacy", 1)


def test_a_tracer_that_closes_in_a_thread_of_its_own_is_waited_for(
    tracers: list[Any], span: MakeSpan
) -> None:
    """As Jaeger's client does, which gives a future."""
    told([span(1)], arguments={"closes_after": 3})
    assert tracers[0].closing.glances == 0


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_tracer_that_never_has_closed_costs_the_end_no_more_than_its_time(
    tracers: list[Any], span: MakeSpan, in_time: InTime
) -> None:
    settings = {"shutdown_timeout_seconds": 0.1, "arguments": {"closes_after": 10**9}}
    told_of: list[ExporterCounts] = []
    in_time(lambda: told_of.append(told([span(1)], **settings)))
    assert told_of[0].exported == 1
    assert tracers[0].closing.glances < 10**9


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_tracer_that_raises_loses_what_it_was_not_told_and_nothing_else(
    tracers: list[Any], span: MakeSpan
) -> None:
    spans = [span(1, name="a"), span(2, name="b"), span(3, name="c")]
    counts = told(spans, arguments={"fails_at": "b"})
    assert counts == ExporterCounts(
        "opentracing_bridge", created=3, exported=1, dropped={"RuntimeError": 2}
    )


def test_a_factory_that_fails_or_is_not_there_is_a_fault(tracers: list[Any]) -> None:
    for name, reason in [("broken", "RuntimeError: no collector ("), ("absent", "AttributeError")]:
        with pytest.raises(ExporterSetupError) as caught:
            build_span_exporters([("opentracing_bridge", {"tracer": f"somebodys_tracers:{name}"})])
        [fault] = caught.value.faults
        assert (fault.path, fault.category) == (HERE, "not_opened")
        assert fault.got.startswith(reason)


@pytest.mark.parametrize(
    ("settings", "path", "category"),
    [
        ({}, "tracer", "missing"),
        ({"tracer": 1}, "tracer", "wrong_type"),
        ({"tracer": "opentracing"}, "tracer", "bad_value"),
        ({"tracer": "a b:c"}, "tracer", "bad_value"),
        ({"tracer": "not_installed.at_all:Tracer"}, "tracer", "bad_value"),
        ({"tracer": "opentracing:Tracer", "arguments": [1]}, "arguments", "wrong_type"),
        ({"tracer": "opentracing:Tracer", "carrier": {"a": "{other}"}}, "carrier", "bad_value"),
        ({"tracer": "opentracing:Tracer", "carrier": {"a": "{"}}, "carrier", "bad_value"),
        ({"tracer": "opentracing:Tracer", "carrier": {"a": 1}}, "carrier", "wrong_type"),
        ({"tracer": "opentracing:Tracer", "max_queue_size": 0}, "max_queue_size", "bad_value"),
        ({"tracer": "opentracing:Tracer", "colour": 1}, "colour", "unknown_key"),
    ],
)
def test_each_fault_is_named_with_its_path_and_category(
    settings: dict[str, Any], path: str, category: str
) -> None:
    [fault] = check_exporters(span=[("opentracing_bridge", settings)])
    assert (fault.path, fault.category) == (f"{HERE}.settings.{path}", category)
