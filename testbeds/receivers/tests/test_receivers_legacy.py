"""Spans of four processes at a tracer of the OpenTracing days, by the bridge."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from received import GROUPS
from receivers_runs import Runs

TESTBED = str(Path(__file__).resolve().parent.parent)

pytestmark = [
    pytest.mark.receivers,
    # The generated code of a project that has ended.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:jaeger_client"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:thrift"),
]


@pytest.mark.contract("P5PRE-OBS-02")
def test_jaeger_client_tells_its_agent_of_every_span_in_one_trace_through_all_processes(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jaeger_agent import JaegerAgent

    monkeypatch.setenv("PYTHONPATH", TESTBED, prepend=os.pathsep)
    agent = JaegerAgent()
    try:
        tracer = "tracer: 'legacy_tracer:jaeger'"
        arguments = f"arguments: {{host: 127.0.0.1, port: {agent.port}}}"
        carrier = "carrier: {uber-trace-id: '{trace_id}:{span_id}:0:1'}"
        settings = f"{{{tracer}, {arguments}, {carrier}, shutdown_timeout_seconds: 15}}"
        expected = runs.run("legacy", "opentracing_bridge", settings)
        told = agent.spans(len(expected))
    finally:
        agent.close()
    assert Counter((s.trace_id, s.name, s.tags["span_id"]) for s in told) == Counter(
        (span.trace_id, span.name, span.span_id) for span in expected
    )
    assert {s.tags["worker"] for s in told} == {"supervisor", *(f"{g}-0.1" for g in GROUPS)}
    assert {s.tags["span_id"]: s.tags.get("parent_id") for s in told} == {
        span.span_id: span.parent_id for span in expected
    }
