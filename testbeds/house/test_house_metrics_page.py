"""What docs/metrics.md tells a reader to write is what works."""

from __future__ import annotations

import re
from typing import Any

import yaml
from sk_config import parse_config
from sk_kernel.runtime import ReplyCounters
from sk_observability import METRICS, MetricKind
from source_tree import ROOT

PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CONFIGURATION, RULES, SCRAPE, ANNOTATIONS = (yaml.safe_load(block) for block in BLOCKS)
RUNBOOK = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
PARTS = ("_bucket", "_count", "_sum")


def names_of(metric: Any) -> set[str]:
    name = metric.prometheus_name
    return {name + part for part in PARTS} if metric.kind is MetricKind.HISTOGRAM else {name}


KNOWN = {name for metric in METRICS for name in names_of(metric)}
#: What Prometheus itself has of every target.
OF_EVERY_TARGET = {"up"}


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def test_the_configuration_is_one() -> None:
    given = {"version": 1, "scenario": "s", "runtime": {"discovery_modules": ["m"]}}
    given["runtime"] |= CONFIGURATION["runtime"]
    metrics = parse_config(yaml.safe_dump(given)).runtime.observability.metrics
    assert metrics.prometheus
    assert [exporter.kind for exporter in metrics.exporters] == ["otel_otlp"]


def test_every_alert_asks_for_metrics_that_there_are() -> None:
    for rule in rules():
        asked = set(re.findall(r"\b(?:sk_\w+|up\b)", rule["expr"]))
        assert asked, rule
        assert asked <= KNOWN | OF_EVERY_TARGET, rule


def test_every_alert_has_a_severity_and_a_summary() -> None:
    for rule in rules():
        assert rule["labels"].keys() == {"severity"}
        assert rule["annotations"].keys() == {"summary"}


def test_the_runbook_has_a_row_for_each_alert_and_for_no_other() -> None:
    table = RUNBOOK.partition("## Alerts\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [rule["alert"] for rule in rules()]


def test_outcomes_that_the_page_asks_for_are_those_of_requests() -> None:
    asked = {one for found in re.findall(r'outcome=~?"([^"]*)"', PAGE) for one in found.split("|")}
    assert asked
    assert asked <= ReplyCounters().outcomes().keys()


def test_labels_in_expressions_are_those_of_the_metric() -> None:
    labels = {name: metric.labels for metric in METRICS for name in names_of(metric)}
    for name, inside in re.findall(r"\b(sk_\w+)\{([^}]*)\}", PAGE):
        assert set(re.findall(r"(\w+)=", inside)) <= set(labels[name])


def test_the_scrape_goes_to_the_configured_listener() -> None:
    [job] = SCRAPE["scrape_configs"]
    port = CONFIGURATION["runtime"]["platform"]["health"]["http"]["bind_port"]
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{port}"]}]
    assert ANNOTATIONS["metadata"]["annotations"]["prometheus.io/port"] == str(port)
