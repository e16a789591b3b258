"""Exporters of several signals in one process, each with a thread that imports what it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys, threading
from itertools import groupby
from sk_kernel import LifecycleEvent, NodeSpan, RunStatus
from sk_observability import *

class Watch:
    '''Finds nothing; notes which thread imports, and lets another one go on.'''
    def find_spec(self, name, path=None, target=None):
        who = threading.current_thread().name
        if name.startswith("opentelemetry.") and who != "MainThread":
            by.append(who)

by = []
sys.meta_path.insert(0, Watch())
sys.setswitchinterval(1e-6)
to = "otel_otlp", {"protocol": PROTOCOL, "endpoint": "http://127.0.0.1:9", "timeout_seconds": 1}
span = NodeSpan(
    trace_id="1" * 32, span_id="1" * 16, parent_id=None, name="n", process_group="g",
    route_hop=0, handoff_from=None, sequence=1, start_ns=1, end_ns=2,
)
event = LifecycleEvent(sequence=1, time_ns=1, name="worker_spawned")
status = RunStatus(
    run_id="r", scenario="s", profile="memory", state="running", ready=True, age_seconds=1.0
)
outlets = [
    *build_span_exporters([to]),
    *build_log_exporters([("otel_logs_otlp", to[1])]),
    *build_metric_exporters([to], worker="supervisor", close_seconds=20.0),
]
for outlet, item in zip(outlets, (span, event, MetricsSnapshot(2, status))):
    outlet.export([item])
for outlet in outlets:
    outlet.finish()
for outlet in outlets:
    outlet.close()
print(json.dumps([thread for thread, _ in groupby(by)]))
"""


@pytest.mark.contract("P5PRE-OBS-03")
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_exporters_that_send_first_at_the_same_time_import_one_after_the_other(
    tmp_path: Path, protocol: str
) -> None:
    """Else one may meet a module of OpenTelemetry that another has half made: items are lost."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("PROTOCOL", repr(protocol)))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    turns = json.loads(done.stdout)
    assert turns
    assert len(set(turns)) == len(turns)
