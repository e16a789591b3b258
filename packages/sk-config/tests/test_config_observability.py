"""`observability`: exporters, sampling and lifecycle events."""

from __future__ import annotations

import pytest
from sk_config import build_config

TRACE_KINDS = ["jsonl", "stdout", "otel_otlp", "opentracing_bridge"]
LOG_KINDS = ["stdout", "jsonl", "otel_logs_otlp"]


@pytest.fixture
def refused(minimal, refusal):
    """Faults of an observability block, by the path in it."""

    def refuse(block):
        minimal["runtime"]["observability"] = block
        faults = refusal(minimal)
        return {path.removeprefix("runtime.observability."): f for path, f in faults.items()}

    return refuse


@pytest.mark.parametrize("block", ["tracing", "logging", "metrics"])
@pytest.mark.parametrize("kind", ["", None, 3, "two words"])
def test_an_exporters_kind_is_a_name_that_the_preflight_looks_up(refused, block, kind):
    path = f"{block}.exporters[1].kind"
    fault = refused(
        {block: {"exporters": [{"kind": "brought_by_another_package"}, {"kind": kind}]}}
    )
    assert list(fault) == [path]


@pytest.mark.contract("P5PRE-CFG-06")
@pytest.mark.parametrize("level", ["warning", "INFO", "", None, 10])
def test_an_unknown_level_of_lifecycle_events_is_rejected(refused, level):
    faults = refused({"logging": {"lifecycle_events": {"level": level}}})
    assert faults["logging.lifecycle_events.level"].expected == "'info' or 'debug'"


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"tracing": {"exporters": [{}]}}, "tracing.exporters[0].kind"),
        ({"tracing": {"exporters": {}}}, "tracing.exporters"),
        ({"tracing": {"exporters": ["jsonl"]}}, "tracing.exporters[0]"),
        (
            {"tracing": {"exporters": [{"kind": "jsonl", "settings": []}]}},
            "tracing.exporters[0].settings",
        ),
        (
            {"logging": {"exporters": [{"kind": "jsonl", "path": "x"}]}},
            "logging.exporters[0].path",
        ),
        (
            {"logging": {"lifecycle_events": {"enabled": "on"}}},
            "logging.lifecycle_events.enabled",
        ),
        ({"metric": {}}, "metric"),
    ],
)
def test_an_invalid_block_is_rejected_at_its_path(refused, block, path):
    assert list(refused(block)) == [path]


@pytest.mark.parametrize("ratio", [-0.1, 1.1, True, "1", float("nan"), float("inf"), None])
def test_a_sampling_ratio_outside_nought_to_one_is_rejected(refused, ratio):
    assert list(refused({"tracing": {"sampling_ratio": ratio}})) == ["tracing.sampling_ratio"]


@pytest.mark.parametrize("ratio", [0, 1, 0.0, 0.25, 1.0])
def test_a_sampling_ratio_between_nought_and_one_is_accepted(minimal, ratio):
    minimal["runtime"]["observability"] = {"tracing": {"sampling_ratio": ratio}}
    assert build_config(minimal).runtime.observability.tracing.sampling_ratio == ratio


def test_every_known_exporter_is_accepted_with_free_settings(minimal):
    settings = {"endpoint": "http://127.0.0.1:4317", "headers": {"x": [1, None]}}
    minimal["runtime"]["observability"] = {
        "tracing": {"exporters": [{"kind": kind, "settings": settings} for kind in TRACE_KINDS]},
        "logging": {"exporters": [{"kind": kind, "settings": settings} for kind in LOG_KINDS]},
    }
    observability = build_config(minimal).runtime.observability
    assert [e.kind for e in observability.tracing.exporters] == TRACE_KINDS
    assert [e.settings for e in observability.logging.exporters] == [settings] * 3
