"""The runbook for Jaeger: its files are what they say, as far as that can be seen from outside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sk_config import build_config
from sk_observability import check_exporters

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "jaeger.md").read_text("utf-8")
PIPELINES = sorted(path for path in (DOCS / "jaeger").glob("*.yaml") if path.name != "run.yaml")
KINDS = ("receivers", "processors", "exporters")
each_pipeline = pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def test_every_file_is_named_in_the_runbook_and_every_named_file_is_there() -> None:
    named = set(re.findall(r"\]\(jaeger/([\w.]+)\)", PAGE))
    assert named == {path.name for path in (DOCS / "jaeger").iterdir()}


@each_pipeline
def test_what_a_pipeline_uses_is_declared_and_what_is_declared_is_used(path: Path) -> None:
    document = load(path)
    service = document["service"]
    for kind in KINDS:
        used = {name for pipeline in service["pipelines"].values() for name in pipeline[kind]}
        assert used == set(document[kind])
    assert set(service["extensions"]) == set(document["extensions"])


@each_pipeline
def test_nothing_listens_to_every_address_unless_it_is_told_to(path: Path) -> None:
    assert "0.0.0.0" not in re.sub("#.*", "", path.read_text("utf-8"))  # noqa: S104


def test_the_storages_that_jaeger_names_are_there() -> None:
    document = load(DOCS / "jaeger" / "jaeger.yaml")
    backends = set(document["extensions"]["jaeger_storage"]["backends"])
    assert document["extensions"]["jaeger_query"]["storage"]["traces"] in backends
    assert document["exporters"]["jaeger_storage_exporter"]["trace_storage"] in backends


def test_the_configuration_of_a_run_is_one_and_its_exporters_take_the_settings() -> None:
    rest = {"discovery_modules": ["app"], "platform": {"bootstrap": {"mode": "inline"}}}
    document = load(DOCS / "jaeger" / "run.yaml")
    config = build_config(
        {
            "version": 1,
            "scenario": "documented",
            "runtime": {**rest, **document["runtime"]},
            "adapters": {"source": {"name": "in"}, "sink": {"name": "out"}},
        }
    )
    seen = config.runtime.observability
    spans, logs = ([(e.kind, e.settings) for e in kind] for kind in exporters_of(seen))
    assert check_exporters(logs, spans) == ()


def test_the_settings_of_the_bridge_are_right() -> None:
    (entry,) = yaml.safe_load(PAGE.split("```yaml\n")[1].split("```")[0])
    faults = check_exporters(span=[(entry["kind"], entry["settings"])])
    assert faults == ()


def exporters_of(observability: Any) -> tuple[Any, Any]:
    return observability.tracing.exporters, observability.logging.exporters
