"""Fund load with its stateless nodes in groups of their own, whose workers are killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_fundload._setup import configuration
from sk_fundload.generator import generate
from sk_kernel import Progress
from sk_observability import LifecycleLog
from sk_supervisor import MultiprocessBootstrapSupervisor, prepare, run

RESTART = {"policy": "on_failure", "backoff_seconds": 0.01}
#: ``features`` is both before and behind ``gate``: its worker runs two segments.
GROUPS = [
    {"name": "ingress", "nodes": ["source:source", "ingress_line_bridge"]},
    {"name": "parse", "nodes": ["parse_load_attempt"], "restart": RESTART},
    {"name": "features", "nodes": ["compute_time_keys", "compute_features"], "restart": RESTART},
    {"name": "gate", "nodes": ["idempotency_gate"]},
    {"name": "policy", "nodes": ["evaluate_policies", "update_windows"]},
    {"name": "format", "nodes": ["format_output"], "restart": RESTART},
    {"name": "egress", "nodes": ["egress_line_bridge", "sink:sink"]},
]


def settings(folder: Path, name: str, profile: str) -> dict[str, Any]:
    config = configuration(
        rules="baseline", profile=profile, file=None, overrides=(), places={}
    ).model_dump(mode="json")
    config["adapters"]["source"]["settings"]["path"] = str(folder / "input")
    config["adapters"]["sink"]["settings"]["path"] = str(folder / name)
    return config


@pytest.mark.contract("PROC-04")
def test_the_decisions_are_those_of_memory_though_every_stateless_worker_is_killed(
    tmp_path: Path,
) -> None:
    (tmp_path / "input").write_bytes(b"".join(generate(40_000, seed=3, dirty=True)))
    alone = build_config(settings(tmp_path, "alone", "memory"))
    assert run(alone, quiet=True) == 0

    config = settings(tmp_path, "together", "multiprocess")
    platform = config["runtime"]["platform"]
    platform["process_groups"] = GROUPS
    platform["batch"] = {"max_records": 40, "in_flight": 6}
    killed: set[str] = set()

    def kill_once(progress: Progress) -> None:
        """In the midst of its work: at its first word of it."""
        group = progress.group
        if progress.batches and group in ("parse", "features", "format") and group not in killed:
            killed.add(group)
            [worker] = supervisor.snapshot().group(group).workers
            os.kill(worker.pid, signal.SIGKILL)

    supervisor = MultiprocessBootstrapSupervisor(
        prepare(build_config(config)), "r1", LifecycleLog("r1", []), on_progress=kill_once
    )
    try:
        supervisor.start_groups([str(group["name"]) for group in GROUPS])
        assert supervisor.wait_ready(60)
        report = supervisor.run()
    finally:
        supervisor.shutdown()
    assert report.outcome == "completed"
    assert (tmp_path / "together").read_bytes() == (tmp_path / "alone").read_bytes()
    assert {g.name: g.restarts for g in supervisor.snapshot().groups if g.restarts} == {
        "parse": 1,
        "features": 1,
        "format": 1,
    }
