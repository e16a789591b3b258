"""Metrics of four processes, scraped by a real Prometheus as the documentation configures it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_server import Prometheus
from receiver_process import PATIENCE_SECONDS
from sk_observability import METRICS, MetricKind

pytestmark = pytest.mark.receivers

RECORDS = 300
GROUPS = ("ingress", "features", "policy", "egress")


class LastingRun:
    """Fund load over four processes, whose input does not end before the test says so."""

    def __init__(self, folder: Path) -> None:
        given = folder / "in"
        command = [sys.executable, "-m", "sk_fundload"]
        generate = ["generate", "--records", str(RECORDS), "--seed", "7", "--output", str(given)]
        subprocess.run([*command, *generate], check=True, timeout=PATIENCE_SECONDS)
        options = {
            "runtime.platform.health": "{http: {}}",
            "runtime.observability.metrics.prometheus": "true",
            "runtime.observability.logging.exporters": "[{kind: stdout}]",
        }
        changes = [word for key, value in options.items() for word in ("--set", f"{key}={value}")]
        run = ["run", "--rules", "exp_mp", "--profile", "multiprocess", "--quiet", *changes]
        self._process = subprocess.Popen(
            [*command, *run, "--input", "-", "--output", str(folder / "out")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(given.read_text("utf-8"))
        self._process.stdin.flush()

    def address(self) -> str:
        """Where it answers scrapes, as its log says."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if told := re.search(r"health_listening.* http=(\S+)", line):
                return told[1]
        raise AssertionError("it answers nobody")

    def end(self) -> int:
        """End the input; the exit code."""
        self._process.communicate(timeout=PATIENCE_SECONDS)
        return self._process.returncode

    def close(self) -> None:
        """Leave nothing behind."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[LastingRun]:
    run = LastingRun(tmp_path)
    yield run
    run.close()


@pytest.fixture
def prometheus(tmp_path: Path, run: LastingRun) -> Iterator[Prometheus]:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    server = Prometheus(folder, run.address())
    yield server
    server.close()


def test_prometheus_scrapes_a_run_knows_every_metric_and_takes_the_documented_alerts(
    run: LastingRun, prometheus: Prometheus
) -> None:
    for group in GROUPS:
        prometheus.until(f'sk_records_in_total{{group="execution.{group}"}}', RECORDS)
    prometheus.until('up{job="stream-kernel"}', 1)
    prometheus.until("sum(sk_worker_up)", len(GROUPS))
    prometheus.until("sk_run_ready", 1)
    states = "sum by (state) (sk_worker_time_seconds_total)"
    assert {r["metric"]["state"] for r in prometheus.ask("query", query=states)["result"]} == {
        "busy",
        "idle",
        "backpressured",
    }
    slowest = prometheus.value("histogram_quantile(0.99, sk_batch_latency_seconds_bucket)")
    assert slowest is not None
    assert 0 < slowest < PATIENCE_SECONDS

    known = prometheus.ask("metadata")
    for metric in METRICS:
        [told] = known[metric.prometheus_name]
        assert (told["type"], told["help"]) == (str(MetricKind(metric.kind)), f"{metric.help}.")

    rules = prometheus.until_no_rule_is("unknown")
    assert len(rules) == 9
    assert {rule["health"] for rule in rules} == {"ok"}
    assert {rule["name"] for rule in rules if rule["state"] == "firing"} == set()
    assert run.end() == 0
