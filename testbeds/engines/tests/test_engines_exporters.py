"""Where spans and events of a run go, on every engine: to receivers that really get them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contract_engines import Engine
from engine_commands import told
from engine_configuration import PARTS, RUN_ID
from sk_kernel.runtime import TraceIds
from sk_observability.testing import OtlpReceiver

FEW = 20
PATIENT = {"timeout_seconds": 60, "shutdown_timeout_seconds": 60}


def otlp(kind: str, receiver: OtlpReceiver) -> dict[str, Any]:
    return {"kind": kind, "settings": {**receiver.settings, **PATIENT}}


@pytest.mark.contract("P5PRE-OBS-01")
def test_a_receiver_gets_one_trace_of_a_record_across_all_its_processes(
    engine: Engine, tmp_path: Path
) -> None:
    with OtlpReceiver() as receiver:
        beside = {"spans": [otlp("otel_otlp", receiver)]}
        done = told(engine, tmp_path, count=FEW, beside=beside)
        received = receiver.spans
    assert done.code == 0, done.said
    assert sorted((s.trace_id, s.span_id, s.parent_id) for s in received) == sorted(
        (span["trace_id"], span["span_id"], span["parent_id"]) for span in done.spans
    )
    workers = {
        str(span.resource["service.instance.id"])
        for span in received
        if span.trace_id == TraceIds(RUN_ID).of(1)
    }
    assert {worker.rpartition("-")[0] for worker in workers} == {
        group["name"] for group in engine.groups(PARTS)
    }


@pytest.mark.contract("P5PRE-LOG-03")
def test_every_event_goes_to_every_exporter_with_the_runs_correlation_id(
    engine: Engine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with OtlpReceiver() as receiver:
        beside = {"events": [{"kind": "stdout"}, otlp("otel_logs_otlp", receiver)]}
        done = told(engine, tmp_path, count=FEW, beside=beside)
        received = sorted(receiver.logs, key=lambda log: int(str(log.attributes["sequence"])))
    printed = capfd.readouterr().out.splitlines()
    assert done.code == 0, done.said
    names = [event["event"] for event in done.events]
    assert [line.split()[2] for line in printed] == names == [log.event_name for log in received]
    assert {event["correlation_id"] for event in done.events} == {RUN_ID}
    assert all(f"correlation_id={RUN_ID}" in line for line in printed)
    assert {log.attributes["correlation_id"] for log in received} == {RUN_ID}
