"""`observability.metrics`: where metrics are answered, and where they are sent to."""

from __future__ import annotations

import pytest
from sk_config import build_config

PATH = "runtime.observability.metrics"


def _runtime(minimal, metrics, **platform):
    minimal["runtime"] |= {"observability": {"metrics": metrics}, "platform": platform}
    return minimal


def test_metrics_are_answered_by_the_listener_for_probes(minimal):
    given = _runtime(minimal, {"prometheus": True}, health={"http": {}})
    assert build_config(given).runtime.observability.metrics.prometheus is True


@pytest.mark.parametrize("health", [None, {}, {"grpc": {}}])
def test_metrics_that_nobody_could_ask_for_are_refused(minimal, refusal, health):
    platform = {} if health is None else {"health": health}
    faults = refusal(_runtime(minimal, {"prometheus": True}, **platform))
    assert list(faults) == [f"{PATH}.prometheus"]
    assert "runtime.platform.health.http" in faults[f"{PATH}.prometheus"].expected


def test_exporters_of_metrics_are_named_freely_and_have_free_settings(minimal):
    exporters = [{"kind": "otel_otlp", "settings": {"a": [1]}}, {"kind": "another.one"}]
    metrics = build_config(
        _runtime(minimal, {"exporters": exporters, "interval_seconds": 1})
    ).runtime.observability.metrics
    assert [(e.kind, e.settings) for e in metrics.exporters] == [
        ("otel_otlp", {"a": [1]}),
        ("another.one", {}),
    ]
    assert metrics.interval_seconds == 1


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"prometheus": "yes"}, "prometheus"),
        ({"interval_seconds": 0}, "interval_seconds"),
        ({"interval_seconds": 0.5}, "interval_seconds"),
        ({"exporters": [{}]}, "exporters[0].kind"),
        ({"exporters": [{"kind": "Not A Label"}]}, "exporters[0].kind"),
        ({"endpoint": "x"}, "endpoint"),
    ],
)
def test_an_invalid_block_is_rejected_at_its_path(minimal, refusal, block, path):
    assert list(refusal(_runtime(minimal, block))) == [f"{PATH}.{path}"]
