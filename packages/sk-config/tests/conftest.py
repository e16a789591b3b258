"""What the tests of sk-config share: two samples, and a way to look at a refusal."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sk_config
from sk_config import ConfigError, Fault

FOUR_GROUPS = """
version: 1
scenario: fund_load
runtime:
  discovery_modules: [sk_fundload.nodes]
  platform:
    bootstrap: {mode: process_supervisor}
    execution_ipc:
      transport: tcp_local
      control: {}
    process_groups:
      - name: execution.ingress
        nodes: ["source:source", ingress_line_bridge, parse_load_attempt]
      - name: execution.features
        nodes: [compute_time_keys, idempotency_gate, compute_features]
      - name: execution.policy
        nodes: [evaluate_policies, update_windows]
      - name: execution.egress
        nodes: [format_output, egress_line_bridge, "sink:sink"]
  observability:
    tracing: {exporters: [{kind: jsonl, settings: {path: traces.jsonl}}]}
    logging: {exporters: [{kind: stdout}]}
nodes:
  compute_time_keys: {week_starts_on: monday}
  evaluate_policies: {daily_amount_limit: "5000.00", daily_count_limit: 3}
adapters:
  source: {name: lines_file, settings: {path: input.txt}}
  sink: {name: lines_file, settings: {path: output.txt}}
"""


@pytest.fixture
def four_groups() -> str:
    """The fund-load workload on four process groups, as YAML."""
    return FOUR_GROUPS


@pytest.fixture
def minimal() -> dict[str, Any]:
    """The least that a configuration holds."""
    return {"version": 1, "scenario": "any", "runtime": {"discovery_modules": ["app.nodes"]}}


@pytest.fixture
def supervised(minimal: dict[str, Any]) -> dict[str, Any]:
    """A valid configuration of one worker process."""
    minimal["runtime"]["platform"] = {
        "bootstrap": {"mode": "process_supervisor"},
        "execution_ipc": {"transport": "tcp_local", "control": {}},
        "process_groups": [{"name": "only", "nodes": ["a"]}],
    }
    return minimal


Refusal = Callable[..., dict[str, Fault]]


@pytest.fixture
def refusal() -> Refusal:
    """Build a configuration that must be refused, and give its faults by path."""

    def refuse(mapping: Mapping[str, Any], **options: Any) -> dict[str, Fault]:
        with pytest.raises(ConfigError) as caught:
            sk_config.build_config(copy.deepcopy(mapping), **options)
        return {fault.path: fault for fault in caught.value.faults}

    return refuse


@pytest.fixture
def refused_platform(minimal: dict[str, Any], refusal: Refusal) -> Refusal:
    """Build a configuration with this platform block, and give its faults by path in it."""

    def refuse(platform: object) -> dict[str, Fault]:
        minimal["runtime"]["platform"] = platform
        faults = refusal(minimal)
        return {path.removeprefix("runtime.platform."): fault for path, fault in faults.items()}

    return refuse
