"""Worker processes that trace to an OTLP receiver: one that takes it all, and those that do not."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel.runtime import TraceIds
from sk_observability.testing import HANG, OtlpReceiver
from sk_supervisor import RunRefusedError, prepare, run
from supervisor_harness import expected, settings

COUNT = 40
FOUR: tuple[dict[str, Any], ...] = (
    {"name": "in", "nodes": ["source:source", "split"]},
    {"name": "mid", "nodes": ["work"]},
    {"name": "sum", "nodes": ["tally_up"]},
    {"name": "out", "nodes": ["sink:sink"]},
)
WORKERS = {"in-0.1", "mid-0.1", "sum-0.1", "out-0.1"}
#: Far more patience at the end than there is: what the groups have to stop in bounds it.
PATIENT = {"timeout_seconds": 60, "shutdown_timeout_seconds": 60}


def traced(target: Path, *exporters: tuple[str, dict[str, Any]], stop: int = 30) -> int:
    """Run the test application, every record traced; the exit code."""
    tracing = {"exporters": [{"kind": kind, "settings": told} for kind, told in exporters]}
    config = settings(
        target,
        groups=FOUR,
        every_group={"stop_timeout_seconds": stop},
        source={"count": COUNT},
        observability={"tracing": tracing},
    )
    return run(build_config(config), run_id="r1", quiet=True, stderr=io.StringIO())


@pytest.mark.contract("P5PRE-OBS-01", "P5PRE-OBS-06")
def test_every_span_of_every_worker_arrives_with_its_worker_and_a_record_has_one_trace(
    target: Path, tmp_path: Path
) -> None:
    beside = tmp_path / "spans.jsonl"
    with OtlpReceiver() as receiver:
        told = {**receiver.settings, **PATIENT}
        assert traced(target, ("otel_otlp", told), ("jsonl", {"path": str(beside)})) == 0
        spans = receiver.spans
    assert target.read_text().splitlines() == expected(COUNT)
    written = [json.loads(line) for line in beside.read_text().splitlines()]
    assert sorted(
        (s.trace_id, s.span_id, s.parent_id, s.name, s.resource["service.instance.id"])
        for s in spans
    ) == sorted(
        (s["trace_id"], s["span_id"], s["parent_id"], s["name"], s["worker"]) for s in written
    )
    of_the_first = [s for s in spans if s.trace_id == TraceIds("r1").of(1)]
    assert {s.resource["service.instance.id"] for s in of_the_first} == WORKERS
    assert {s.resource["service.instance.id"] for s in spans} == {*WORKERS, "supervisor"}
    assert {s.resource["stream_kernel.run.id"] for s in spans} == {"r1"}
    assert {
        (s.attributes["handoff_from"], s.attributes["process_group"], s.attributes["route_hop"])
        for s in of_the_first
        if "handoff_from" in s.attributes
    } >= {("in", "mid", 1), ("mid", "sum", 2), ("sum", "out", 3)}


@pytest.mark.contract("P5PRE-OBS-03", "P5PRE-OTLP-03")
def test_a_receiver_that_hangs_changes_no_output_and_forces_no_stop(target: Path) -> None:
    with OtlpReceiver(answer=HANG) as receiver:
        hanging = {**receiver.settings, **PATIENT}
        assert traced(target, ("otel_otlp", hanging), stop=2) == 0
        assert receiver.spans == ()
    assert target.read_text().splitlines() == expected(COUNT)


@pytest.mark.contract("P5PRE-OBS-03", "P5PRE-OTLP-03")
def test_a_receiver_that_is_absent_changes_no_output_and_takes_nothing_from_another_exporter(
    target: Path, tmp_path: Path
) -> None:
    beside = tmp_path / "spans.jsonl"
    with OtlpReceiver("http") as receiver:
        told = {**receiver.settings, "timeout_seconds": 0.5}
    assert traced(target, ("otel_otlp", told), ("jsonl", {"path": str(beside)})) == 0
    assert target.read_text().splitlines() == expected(COUNT)
    named = {json.loads(line)["worker"] for line in beside.read_text().splitlines()}
    assert named == {*WORKERS, "supervisor"}


@pytest.mark.contract("P5PRE-CFG-04", "P5PRE-CFG-06")
@pytest.mark.parametrize(("block", "kind"), [("tracing", "zipkin"), ("logging", "syslog")])
def test_a_kind_that_nobody_brings_is_refused_before_a_process_exists(
    target: Path, block: str, kind: str
) -> None:
    config = settings(target, observability={block: {"exporters": [{"kind": kind}]}})
    with pytest.raises(RunRefusedError) as caught:
        prepare(build_config(config))
    [fault] = caught.value.faults
    assert (fault.path, fault.category) == (
        f"runtime.observability.{block}.exporters[0].kind",
        "unavailable",
    )
    assert "jsonl" in fault.expected
