"""Spans and events over OTLP, to receivers that take them, and to those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sk_kernel import LifecycleEvent, NodeSpan, SpanLink
from sk_observability import (
    ExporterCounts,
    LifecycleLog,
    Outlet,
    SpanFanOut,
    build_log_exporters,
    build_span_exporters,
)
from sk_observability.testing import ACCEPT, HANG, Answer, OtlpReceiver

MakeSpan = Callable[..., NodeSpan]
Lost = Callable[[Outlet[NodeSpan]], dict[str, int]]
InTime = Callable[[Callable[[], Any]], None]
PATIENCE = 30.0
BOTH = pytest.mark.parametrize("protocol", ["grpc", "http"])


@pytest.fixture
def receiver(protocol: Any) -> Iterator[OtlpReceiver]:
    """A receiver that takes everything."""
    with OtlpReceiver(protocol) as receiver:
        yield receiver


def outlet_to(receiver: OtlpReceiver, **settings: Any) -> Outlet[NodeSpan]:
    """An exporter to a receiver, patient at its end unless told otherwise."""
    told = {**receiver.settings, "shutdown_timeout_seconds": PATIENCE, **settings}
    [outlet] = build_span_exporters([("otel_otlp", told)], worker="policy-0.2")
    return outlet


@pytest.fixture
def lost(until: InTime) -> Lost:
    """What is lost once nothing is pending."""

    def wait(outlet: Outlet[NodeSpan]) -> dict[str, int]:
        until(lambda: not outlet.counts.pending)
        return outlet.counts.dropped

    return wait


@pytest.mark.contract("P5PRE-OTLP-01")
@BOTH
def test_spans_arrive_whole_with_the_ids_that_they_have(
    receiver: OtlpReceiver, span: MakeSpan
) -> None:
    outlet = outlet_to(receiver)
    link = SpanLink("c" * 32, "d" * 16)
    sent = span(
        7,
        trace_id="0" * 31 + "a",
        span_id="00000000000000ff",
        parent_id="0123456789abcdef",
        name="score",
        process_group="policy",
        handoff_from="ingress",
        route_hop=2,
        error="ValueError",
        kind="consumer",
        links=(link,),
        attributes={"messaging.batch.message_count": 3},
    )
    outlet.export([sent])
    outlet.close()
    [got] = receiver.spans
    assert (got.trace_id, got.span_id, got.parent_id) == (
        sent.trace_id,
        sent.span_id,
        sent.parent_id,
    )
    assert (got.name, got.kind, got.start_ns, got.end_ns) == ("score", 5, 1_000, 3_500)
    assert (got.links, got.error, got.parent_is_remote) == (
        ((link.trace_id, link.span_id),),
        "ValueError",
        True,
    )
    assert got.attributes == {
        "process_group": "policy",
        "handoff_from": "ingress",
        "route_hop": 2,
        "sequence": 7,
        "error.type": "ValueError",
        "messaging.batch.message_count": 3,
    }
    assert got.events == (("exception", 3_500, {"exception.type": "ValueError"}),)
    assert outlet.counts == ExporterCounts("otel_otlp", created=1, exported=1)


@pytest.mark.contract("P5PRE-OBS-06")
def test_a_span_without_parent_handoff_or_error_has_no_trace_of_them(span: MakeSpan) -> None:
    with OtlpReceiver() as receiver:
        outlet = outlet_to(receiver)
        outlet.export([span(1)])
        outlet.close()
        [got] = receiver.spans
    assert (got.parent_id, got.error, got.events, got.links, got.kind) == (None, None, (), (), 1)
    assert got.attributes == {"process_group": "ingress", "route_hop": 0, "sequence": 1}


@BOTH
def test_the_resource_names_service_and_worker_with_its_incarnation(
    receiver: OtlpReceiver, span: MakeSpan
) -> None:
    more = {"deployment.environment.name": "test", "shards": 4}
    outlet = outlet_to(receiver, service_name="fund-load", resource=more)
    outlet.export([span(1)])
    outlet.close()
    resource = receiver.spans[0].resource
    assert resource["service.name"] == "fund-load"
    assert resource["service.instance.id"] == "policy-0.2"
    assert more.items() <= resource.items()


@pytest.mark.parametrize(
    ("variables", "configured", "name"),
    [
        ({}, {}, "stream-kernel"),
        ({"OTEL_SERVICE_NAME": "orders"}, {}, "orders"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=billing"}, {}, "billing"),
        ({"OTEL_SERVICE_NAME": "orders"}, {"service_name": "fund-load"}, "fund-load"),
    ],
)
def test_a_service_that_is_not_configured_has_the_name_of_the_environment(
    variables: dict[str, str],
    configured: dict[str, str],
    name: str,
    span: MakeSpan,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with OtlpReceiver() as receiver:
        outlet = outlet_to(receiver, **configured)
        outlet.export([span(1)])
        outlet.close()
        assert receiver.spans[0].resource["service.name"] == name


@pytest.mark.contract("P5PRE-OTLP-02")
@BOTH
def test_headers_reach_the_receiver(receiver: OtlpReceiver, span: MakeSpan) -> None:
    outlet = outlet_to(receiver, headers={"X-Tenant": "blue", "authorization": "Bearer abc"})
    outlet.export([span(1)])
    outlet.close()
    [headers] = receiver.headers
    assert headers.items() >= {"x-tenant": "blue", "authorization": "Bearer abc"}.items()


@pytest.mark.contract("P5PRE-OTLP-02")
@BOTH
def test_batch_options_reach_the_exporter(receiver: OtlpReceiver, span: MakeSpan) -> None:
    batch = {"max_queue_size": 7, "max_batch_size": 3, "schedule_delay_seconds": 3600}
    outlet = outlet_to(receiver, batch=batch)
    outlet.export([span(n) for n in range(1, 10)])
    outlet.close()
    assert len(receiver.headers) == 3  # of three, three and one
    assert outlet.counts.dropped == {"queue_full": 2}


@pytest.mark.contract("P5PRE-OTLP-02")
@BOTH
def test_what_is_held_goes_out_after_the_delay_without_more_to_push_it(
    receiver: OtlpReceiver, span: MakeSpan
) -> None:
    outlet = outlet_to(receiver, batch={"schedule_delay_seconds": 0.01})
    outlet.export([span(1)])
    assert receiver.wait_until(lambda r: len(r.spans) == 1)
    outlet.close()


@pytest.mark.contract("P5PRE-OTLP-02", "P5PRE-OTLP-03")
@BOTH
def test_the_timeout_ends_an_export_to_a_receiver_that_hangs(
    receiver: OtlpReceiver, span: MakeSpan, lost: Lost
) -> None:
    receiver.answer_with(HANG)
    outlet = outlet_to(receiver, timeout_seconds=0.2, batch={"schedule_delay_seconds": 0.01})
    outlet.export([span(1)])
    reason = {"grpc": "DEADLINE_EXCEEDED", "http": "ReadTimeout"}
    assert lost(outlet) == {reason[receiver.settings["protocol"]]: 1}
    receiver.answer_with(ACCEPT)
    outlet.close()


@pytest.mark.parametrize(
    ("protocol", "compression"),
    [("grpc", "none"), ("grpc", "gzip"), ("http", "none"), ("http", "gzip"), ("http", "deflate")],
)
def test_compressed_or_not_spans_arrive(
    receiver: OtlpReceiver, span: MakeSpan, compression: str
) -> None:
    outlet = outlet_to(receiver, compression=compression)
    outlet.export([span(n) for n in range(50)])
    outlet.close()
    assert len(receiver.spans) == 50
    if receiver.settings["protocol"] == "http":
        assert receiver.headers[0].get("content-encoding", "none") == compression


@pytest.mark.contract("P5PRE-OTLP-03", "P5PRE-OBS-03")
@BOTH
def test_a_receiver_that_refuses_costs_what_it_was_sent_and_nothing_else(
    receiver: OtlpReceiver, span: MakeSpan
) -> None:
    receiver.answer_with(Answer(refuses=True))
    outlet = outlet_to(receiver)
    outlet.export([span(1), span(2)])
    outlet.close()
    reason = {"grpc": "PERMISSION_DENIED", "http": "HTTP 403"}[receiver.settings["protocol"]]
    assert outlet.counts == ExporterCounts("otel_otlp", created=2, dropped={reason: 2})


@pytest.mark.contract("P5PRE-OTLP-03")
@BOTH
def test_what_a_receiver_rejects_of_a_batch_is_lost_and_the_rest_is_not(
    receiver: OtlpReceiver, span: MakeSpan
) -> None:
    receiver.answer_with(Answer(rejects=2))
    outlet = outlet_to(receiver)
    outlet.export([span(n) for n in range(1, 6)])
    outlet.close()
    assert len(receiver.spans) == 3
    assert outlet.counts == ExporterCounts(
        "otel_otlp", created=5, exported=3, dropped={"rejected": 2}
    )


@pytest.mark.contract("P5PRE-OTLP-03")
@BOTH
def test_a_slow_receiver_gets_everything_in_its_time(
    receiver: OtlpReceiver, span: MakeSpan
) -> None:
    receiver.answer_with(Answer(seconds=0.05))
    outlet = outlet_to(receiver, batch={"max_batch_size": 10})
    outlet.export([span(n) for n in range(40)])
    outlet.close()
    assert outlet.counts == ExporterCounts("otel_otlp", created=40, exported=40)
    assert [got.attributes["sequence"] for got in receiver.spans] == list(range(40))


@pytest.mark.contract("P5PRE-OBS-03", "P5PRE-OTLP-03")
@BOTH
def test_delivery_resumes_when_a_receiver_that_was_absent_is_back(
    receiver: OtlpReceiver, span: MakeSpan, lost: Lost, until: InTime
) -> None:
    # A timeout below the first pause between tries: what meets the absence is lost at once.
    quick = {"schedule_delay_seconds": 0.01}
    outlet = outlet_to(receiver, timeout_seconds=0.5, batch=quick)
    reason = {"grpc": "UNAVAILABLE", "http": "ConnectionError"}[receiver.settings["protocol"]]

    def is_delivered() -> bool:  # on a busy machine not every time within the timeout
        before = outlet.counts.exported
        outlet.export([span(1)])
        lost(outlet)
        return outlet.counts.exported > before

    until(is_delivered)
    receiver.stop()
    assert not is_delivered()
    assert outlet.counts.dropped[reason] >= 1
    receiver.start()
    until(is_delivered)
    outlet.close()
    counts = outlet.counts
    assert len(receiver.spans) >= counts.exported == 2
    assert counts.created == 2 + sum(counts.dropped.values())


@BOTH
def test_a_restart_within_the_timeout_costs_nothing(
    receiver: OtlpReceiver, span: MakeSpan, lost: Lost
) -> None:
    receiver.answer_with(Answer(refuses=True, transient=True))
    outlet = outlet_to(receiver, batch={"schedule_delay_seconds": 0.01})
    outlet.export([span(1)])
    assert receiver.wait_until(lambda r: len(r.headers) >= 1)
    receiver.stop()
    receiver.answer_with(ACCEPT)
    receiver.start()
    assert lost(outlet) == {}
    outlet.close()
    assert outlet.counts == ExporterCounts("otel_otlp", created=1, exported=1)


@pytest.mark.contract("P5PRE-OBS-03")
@pytest.mark.parametrize("waits", [False, True])
@BOTH
def test_the_end_does_not_wait_for_a_receiver_that_is_absent(
    receiver: OtlpReceiver, span: MakeSpan, waits: bool
) -> None:
    """Be it that the exporter meets the absence at the end, or that it pauses on account of it."""
    receiver.answer_with(Answer(refuses=True, transient=True))
    outlet = outlet_to(receiver, timeout_seconds=3600, shutdown_timeout_seconds=60)
    outlet.export([span(n) for n in range(5)])
    if waits:
        outlet.export([span(5)] * 2000)  # a full batch goes at once
        assert receiver.wait_until(lambda r: len(r.headers) >= 1)
    receiver.stop()
    outlet.close()
    assert "shutdown_timeout" not in outlet.counts.dropped
    assert sum(outlet.counts.dropped.values()) == outlet.counts.created


@pytest.mark.contract("P5PRE-OBS-03")
@BOTH
def test_a_receiver_that_hangs_holds_up_neither_the_export_nor_the_end_nor_another_exporter(
    receiver: OtlpReceiver, span: MakeSpan, protocol: Any
) -> None:
    receiver.answer_with(HANG)
    with OtlpReceiver(protocol) as well:
        hanging = {**receiver.settings, "shutdown_timeout_seconds": 0.3, "timeout_seconds": 3600}
        fan_out = SpanFanOut(
            build_span_exporters([("otel_otlp", hanging), ("otel_otlp", well.settings)])
        )
        fan_out.on_spans([span(1), span(2)])
        fan_out.finish()
        assert receiver.wait_until(lambda r: len(r.headers) >= 1)
        fan_out.close()  # would wait for an hour
        assert len(well.spans) == 2
    assert fan_out.counts() == (
        ExporterCounts("otel_otlp", created=2, dropped={"shutdown_timeout": 2}),
        ExporterCounts("otel_otlp", created=2, exported=2),
    )


def test_who_builds_an_exporter_bounds_its_close_whatever_the_settings_say(
    span: MakeSpan, in_time: InTime
) -> None:
    with OtlpReceiver(answer=HANG) as receiver:
        patient = {**receiver.settings, "shutdown_timeout_seconds": 60, "timeout_seconds": 60}
        [outlet] = build_span_exporters([("otel_otlp", patient)], close_seconds=0.2)
        outlet.export([span(1)])
        in_time(outlet.close)
    assert outlet.counts.dropped == {"shutdown_timeout": 1}


@pytest.mark.contract("P5PRE-LOG-03")
@BOTH
def test_events_arrive_as_log_records_with_severity_correlation_and_trace(
    receiver: OtlpReceiver,
) -> None:
    choice = ("otel_logs_otlp", receiver.settings)
    log = LifecycleLog("run-42", build_log_exporters([choice], worker="supervisor"), level="debug")
    log.emit("worker_ready", group="policy", worker="policy-0.1", fields={"pid": 4711})
    log.emit("detail", level="debug")
    log.emit("worker_failed", group="policy")
    log.close()
    ready, detail, failed = receiver.logs
    assert (ready.event_name, ready.body) == ("worker_ready", "worker_ready")
    assert ready.resource["service.instance.id"] == "supervisor"
    assert ready.attributes == {
        "correlation_id": "run-42",
        "sequence": 1,
        "process_group": "policy",
        "worker": "policy-0.1",
        "pid": 4711,
    }
    assert [each.severity_text for each in (ready, detail, failed)] == ["INFO", "DEBUG", "ERROR"]
    assert [each.severity for each in (ready, detail, failed)] == [9, 5, 17]
    assert log.counts().exporters == (ExporterCounts("otel_logs_otlp", created=3, exported=3),)


@pytest.mark.contract("P5PRE-LOG-03")
@BOTH
def test_a_log_record_has_the_trace_of_its_event(
    receiver: OtlpReceiver, event: Callable[..., LifecycleEvent]
) -> None:
    [outlet] = build_log_exporters([("otel_logs_otlp", receiver.settings)])
    outlet.export([event(1, trace_id="ab" * 16, time_ns=7), event(2)])
    outlet.close()
    assert [(each.trace_id, each.time_ns) for each in receiver.logs] == [("ab" * 16, 7), (None, 0)]
