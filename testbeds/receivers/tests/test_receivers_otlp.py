"""Spans of four processes at OTLP servers that no one here wrote."""

from __future__ import annotations

import pytest
from otlp_receivers import OtlpReceiver
from received import GROUPS, expect_whole_traces
from receivers_runs import RECORDS, Runs

PATIENT = "shutdown_timeout_seconds: 15"

pytestmark = pytest.mark.receivers


@pytest.mark.contract("P5PRE-OBS-01", "P5PRE-OBS-06", "P5PRE-OTLP-01", "P5PRE-SMOKE-03")
@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("name", ["mock_otlp", "phoenix"])
def test_every_span_of_a_run_over_four_processes_arrives_once_and_in_its_trace(
    request: pytest.FixtureRequest, runs: Runs, name: str, protocol: str
) -> None:
    receiver: OtlpReceiver = request.getfixturevalue(name)
    where = f"protocol: {protocol}, endpoint: '{receiver.endpoint(protocol)}'"
    settings = f"{{{where}, compression: {receiver.compressions[protocol]}, {PATIENT}}}"
    expected = runs.run(f"{name}-{protocol}", "otel_otlp", settings)
    arrived = receiver.spans(len(expected))
    assert sorted(arrived, key=str) == sorted(expected, key=str)
    expect_whole_traces(arrived, RECORDS)


@pytest.mark.contract("P5PRE-OBS-01")
def test_each_process_sends_as_an_instance_of_its_own(mock_otlp: OtlpReceiver, runs: Runs) -> None:
    settings = f"{{endpoint: '{mock_otlp.endpoint('grpc')}', {PATIENT}}}"
    mock_otlp.spans(len(runs.run("instances", "otel_otlp", settings)))
    assert mock_otlp.instances() == {"supervisor", *(f"{group}-0.1" for group in GROUPS)}
