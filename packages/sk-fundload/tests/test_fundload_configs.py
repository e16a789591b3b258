"""The four configurations, and how the command's options choose and change one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sk_fundload
from msgspec import convert
from sk_config import Config, ConfigError, application_data, load_config
from sk_fundload._setup import configuration
from sk_fundload.errors import (
    ConflictingOptionsError,
    MissingOptionError,
    MixedOutputError,
    RulesDisagreeError,
    SamePlaceError,
)
from sk_kernel import ApplicationSpec, PreflightError
from sk_kernel.runtime import ApplicationContext

FOLDER = Path(sk_fundload.__file__).parent / "configs"
FILES = sorted(FOLDER.glob("*.yaml"))
PIPELINE = [
    "source:source",
    "ingress_line_bridge",
    "parse_load_attempt",
    "compute_time_keys",
    "idempotency_gate",
    "compute_features",
    "evaluate_policies",
    "update_windows",
    "format_output",
    "egress_line_bridge",
    "sink:sink",
]
GROUPS = ["execution.ingress", "execution.features", "execution.policy", "execution.egress"]


def configured(
    *overrides: str,
    rules: str | None = "baseline",
    profile: str | None = "memory",
    file: str | None = None,
    places: Mapping[str, str | None] | None = None,
) -> Config:
    return configuration(
        rules=rules, profile=profile, file=file, overrides=overrides, places=places or {}
    )


def application(config: Config) -> ApplicationContext:
    return ApplicationContext(convert(application_data(config), ApplicationSpec))


@pytest.mark.contract("CFG-DEFAULT-02")
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_built_in_configuration_validates(path: Path) -> None:
    config = load_config(path)
    memory = path.stem.endswith("memory")
    mode = "inline" if memory else "process_supervisor"
    assert config.runtime.platform.bootstrap.mode == mode


def test_there_is_one_configuration_to_each_rule_set_and_profile() -> None:
    assert [path.stem for path in FILES] == [
        "baseline_memory",
        "baseline_multiprocess",
        "exp_mp_memory",
        "exp_mp_multiprocess",
    ]


@pytest.mark.contract("CFG-DEFAULT-02")
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_built_in_configuration_s_graph_and_settings_pass_the_preflight(path: Path) -> None:
    graph = application(load_config(path)).graph
    assert list(graph.order) == [vertex for vertex in PIPELINE if not vertex.endswith("_bridge")]
    assert set(graph.bridges()) == {"ingress_line_bridge", "egress_line_bridge"}


@pytest.mark.parametrize("rules", ["baseline", "exp_mp"])
def test_the_groups_hold_every_vertex_once_in_pipeline_order(rules: str) -> None:
    config = configured(rules=rules, profile="multiprocess")
    groups = config.runtime.platform.process_groups
    assert [group.name for group in groups] == GROUPS
    assert [node for group in groups for node in group.nodes] == PIPELINE


@pytest.mark.parametrize("rules", ["baseline", "exp_mp"])
def test_both_profiles_of_a_rule_set_have_the_same_rules(rules: str) -> None:
    memory, multiprocess = (configured(rules=rules, profile=p) for p in ("memory", "multiprocess"))
    assert memory.nodes == multiprocess.nodes
    assert memory.adapters == multiprocess.adapters
    assert memory.scenario == multiprocess.scenario


def test_evaluate_and_update_share_their_state_and_under_baseline_no_global_one() -> None:
    names = {
        rules: {cls.__name__ for cls in application(configured(rules=rules)).states_of(node)}
        for rules in ("baseline", "exp_mp")
        for node in ("evaluate_policies", "update_windows")
    }
    assert names == {"baseline": {"CustomerWindows"}, "exp_mp": {"CustomerWindows", "PrimeDays"}}


@pytest.mark.parametrize(
    "path", ["in put.jsonl", 'a"b\\c', "tab\there", "${x}", "$${x}", "null", "caf\u00e9", "-"]
)
def test_a_path_given_as_an_option_is_taken_as_it_is(path: str) -> None:
    config = configured(
        "adapters.sink.settings.path=overridden",
        places={"input": path, "output": "out", "rejects": None},
    )
    assert config.adapters.source
    assert config.adapters.source.settings["path"] == path
    assert config.adapters.sink
    assert dict(config.adapters.sink.settings) == {"path": "out"}


def test_a_configuration_file_takes_the_place_of_a_built_in_one(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text((FOLDER / "baseline_memory.yaml").read_text().replace("baseline", "own"))
    config = configured(rules=None, profile=None, file=str(path), places={"input": "a"})
    assert config.scenario.name == "fundload_own"
    assert config.adapters.source
    assert config.adapters.source.settings["path"] == "a"


@pytest.mark.parametrize("given", [{"rules": "baseline"}, {"profile": "memory"}])
def test_a_configuration_file_and_a_built_in_one_exclude_each_other(given: dict[str, Any]) -> None:
    with pytest.raises(ConflictingOptionsError, match="--config and --"):
        configured(**{"rules": None, "profile": None, **given}, file="own.yaml")


@pytest.mark.parametrize("missing", ["rules", "profile"])
def test_a_built_in_configuration_needs_both_names(missing: str) -> None:
    with pytest.raises(MissingOptionError, match=f"--{missing} is needed"):
        configured(**{missing: None})


@pytest.mark.parametrize("written", ["output", "rejects"])
def test_the_input_is_no_place_for_output(tmp_path: Path, written: str) -> None:
    path = tmp_path / "same"
    path.touch()
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(SamePlaceError, match=f"input and {written} are the same file"):
        configured(places={"input": str(path), written: str(tmp_path / "link")})


@pytest.mark.parametrize(
    "override",
    [
        "nodes.compute_features.prime_gate=false",
        "nodes.update_windows.prime_gate=false",
        "nodes.evaluate_policies.prime_gate=null",
    ],
)
def test_the_prime_rule_is_on_in_all_its_nodes_or_in_none(override: str) -> None:
    with pytest.raises(RulesDisagreeError, match=r"prime_gate is o.*the same in all"):
        configured(override, rules="exp_mp")


def test_all_faults_of_the_settings_are_found_before_anything_runs() -> None:
    config = configured(
        "nodes.compute_time_keys.week_start=someday",
        "nodes.compute_features.monday_multiplier=2.5",
        "nodes.evaluate_policies.daily_cents=-1",
        "nodes.evaluate_policies.daily_limit=1",
        "adapters.source.settings.path=3",
    )
    with pytest.raises(PreflightError) as caught:
        application(config)
    assert {fault.path for fault in caught.value.faults} == {
        "nodes.compute_time_keys.week_start",
        "nodes.compute_features.monday_multiplier",
        "nodes.evaluate_policies.daily_cents",
        "nodes.evaluate_policies.daily_limit",
        "adapters.source.settings.path",
    }


def test_an_unknown_key_of_the_runtime_is_a_configuration_fault() -> None:
    with pytest.raises(ConfigError, match=r"runtime\.platform\.speed"):
        configured("runtime.platform.speed=high")


@pytest.mark.parametrize("block", ["tracing", "logging"])
def test_an_exporter_may_not_write_into_the_decisions_on_standard_output(block: str) -> None:
    exporter = f"runtime.observability.{block}.exporters=[{{kind: stdout}}]"
    with pytest.raises(MixedOutputError, match=rf"{block}\.exporters\[0\]"):
        configured(exporter, places={"output": "-"})
    configured(exporter, places={"output": "decisions.jsonl"})
