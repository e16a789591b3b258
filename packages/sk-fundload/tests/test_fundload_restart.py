"""Fund load with its stateless nodes in groups of their own, whose workers are killed."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
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


#: How many lines are fed at once.
LINES = 1000


class Feed:
    """A pipe that is full of lines until they are enough, and a file of all that went into it."""

    def __init__(self, pipe: Path, kept: Path) -> None:
        os.mkfifo(pipe)
        self.enough = threading.Event()
        self._pipe, self._kept = pipe, kept
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        lines = list(generate(40_000, seed=3, dirty=True))
        blocks = [b"".join(lines[at : at + LINES]) for at in range(0, len(lines), LINES)]
        with (
            contextlib.suppress(BrokenPipeError),  # a run that has ended says itself why
            self._kept.open("wb") as kept,
            self._pipe.open("wb") as pipe,
        ):
            for block in itertools.cycle(blocks):
                kept.write(block)
                pipe.write(block)
                if self.enough.is_set():
                    return

    def close(self) -> None:
        """Let it go, wherever it is."""
        self.enough.set()
        os.close(os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK))
        self._thread.join()


def settings(folder: Path, name: str, profile: str, source: str = "input") -> dict[str, Any]:
    config = configuration(
        rules="baseline", profile=profile, file=None, overrides=(), places={}
    ).model_dump(mode="json")
    config["adapters"]["source"]["settings"]["path"] = str(folder / source)
    config["adapters"]["sink"]["settings"]["path"] = str(folder / name)
    return config


@pytest.mark.contract("PROC-04")
def test_the_decisions_are_those_of_memory_though_every_stateless_worker_is_killed(
    tmp_path: Path,
) -> None:
    """There is input until the last of them is gone, so each is killed in the midst of its work."""
    config = settings(tmp_path, "together", "multiprocess", source="pipe")
    platform = config["runtime"]["platform"]
    platform["process_groups"] = GROUPS
    platform["batch"] = {"max_records": 40, "in_flight": 6}
    feed = Feed(tmp_path / "pipe", tmp_path / "input")
    left = {"parse", "features", "format"}

    def kill_once(progress: Progress) -> None:
        """At its first word of its work."""
        if progress.batches and progress.group in left:
            left.remove(progress.group)
            [worker] = supervisor.snapshot().group(progress.group).workers
            os.kill(worker.pid, signal.SIGKILL)
        if not left:
            feed.enough.set()

    supervisor = MultiprocessBootstrapSupervisor(
        prepare(build_config(config)), "r1", LifecycleLog("r1", []), on_progress=kill_once
    )
    try:
        supervisor.start_groups([str(group["name"]) for group in GROUPS])
        assert supervisor.wait_ready(60)
        report = supervisor.run()
    finally:
        supervisor.shutdown()
        feed.close()
    assert report.outcome == "completed"
    assert {g.name: g.restarts for g in supervisor.snapshot().groups if g.restarts} == {
        "parse": 1,
        "features": 1,
        "format": 1,
    }
    alone = build_config(settings(tmp_path, "alone", "memory"))
    assert run(alone, quiet=True) == 0
    assert (tmp_path / "together").read_bytes() == (tmp_path / "alone").read_bytes()
