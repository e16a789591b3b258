"""What a configuration is without its optional parts, and with the workload's own."""

from __future__ import annotations

import pickle

import pytest
import sk_config
from pydantic import BaseModel, ValidationError
from sk_config import Config, GroupConfig, build_config, dump_config, parse_config


@pytest.mark.contract("CFG-DEFAULT-01")
def test_without_the_new_blocks_the_memory_profile_is_the_default(minimal):
    platform = build_config(minimal).runtime.platform
    assert platform.bootstrap.mode == "inline"
    assert platform.execution_ipc.transport == "memory"
    assert platform.execution_ipc.control is None
    assert platform.process_groups == ()


@pytest.mark.contract("CFG-DEFAULT-02")
def test_the_fund_load_configuration_of_four_groups_validates(four_groups):
    config = parse_config(four_groups)
    assert [(group.name, len(group.nodes)) for group in config.runtime.platform.process_groups] == [
        ("execution.ingress", 3),
        ("execution.features", 3),
        ("execution.policy", 2),
        ("execution.egress", 3),
    ]


@pytest.mark.contract("CFG-DEFAULT-02")
def test_the_fund_load_configuration_validates_in_the_memory_profile(four_groups):
    memory = [
        "runtime.platform.bootstrap.mode=inline",
        "runtime.platform.execution_ipc={transport: memory}",
    ]
    config = parse_config(four_groups, overrides=memory)
    assert config.runtime.platform.bootstrap.mode == "inline"


@pytest.mark.contract("P5PRE-CFG-08")
def test_every_default_of_a_valid_configuration_is_explicit(four_groups):
    platform = dump_config(parse_config(four_groups))["runtime"]["platform"]
    auth = {
        "mode": "hmac",
        "secret_mode": "generated",
        "secret": None,
        "kdf": "hkdf_sha256",
        "ttl_seconds": 30,
        "nonce_cache_size": 100_000,
    }
    loopback = {"transport": "tcp_local", "bind_host": "127.0.0.1", "bind_port": 0, "auth": auth}
    assert platform["process_groups"][2] == {
        "name": "execution.policy",
        "nodes": ["evaluate_policies", "update_windows"],
        "stages": [],
        "tags": [],
        "runners": [],
        "workers": 1,
        "runner_profile": "sync",
        "heartbeat_seconds": 5,
        "stuck_after_seconds": 60,
        "max_rss_bytes": None,
        "on_stuck": "report",
        "start_timeout_seconds": 30,
        "stop_timeout_seconds": 30,
        "restart": {
            "policy": "never",
            "intensity": 3,
            "period_seconds": 60,
            "backoff_seconds": 0.2,
            "backoff_max_seconds": 10.0,
        },
    }
    assert platform["execution_ipc"] == {
        **loopback,
        "max_payload_bytes": 16_777_216,
        "max_header_bytes": 65_535,
        "admission": {
            "handshake_timeout_seconds": 5,
            "max_waiting": 128,
            "max_unauthenticated_bytes": 512,
        },
        "control": {
            **loopback,
            "max_payload_bytes": 4_194_304,
            "admission": {
                "handshake_timeout_seconds": 5,
                "max_waiting": 32,
                "max_unauthenticated_bytes": 16_384,
            },
        },
    }
    assert platform["readiness"] == {
        "enabled": True,
        "start_work_on_all_groups_ready": True,
        "readiness_timeout_seconds": None,
    }
    assert platform["batch"] == {"max_records": 1000, "max_bytes": 1_048_576, "in_flight": 16}


def test_nothing_is_traced_or_exported_by_default(minimal):
    assert build_config(minimal).runtime.observability.model_dump(mode="json") == {
        "tracing": {"sampling_ratio": 1.0, "exporters": []},
        "logging": {
            "exporters": [],
            "lifecycle_events": {"enabled": True, "level": "info", "worker_output": False},
        },
        "metrics": {"prometheus": False, "interval_seconds": 10, "exporters": []},
    }


def test_a_scenario_is_named_by_a_string_or_a_mapping(minimal):
    by_mapping = build_config({**minimal, "scenario": {"name": "any"}})
    assert by_mapping == build_config(minimal)
    assert by_mapping.scenario.name == "any"


@pytest.mark.parametrize("version", [0, 2, True, 1.0, "1", None])
def test_a_version_other_than_the_integer_1_is_rejected(minimal, refusal, version):
    assert list(refusal({**minimal, "version": version})) == ["version"]


@pytest.mark.parametrize("missing", ["version", "scenario", "runtime"])
def test_what_has_no_default_is_required(minimal, refusal, missing):
    del minimal[missing]
    assert refusal(minimal)[missing].category == "missing"


@pytest.mark.parametrize("modules", [[], "app", [""], ["app..x"], ["app/x"], ["1a"], [None], None])
def test_discovery_needs_names_of_modules(minimal, refusal, modules):
    faults = refusal({**minimal, "runtime": {"discovery_modules": modules}})
    assert all(path.startswith("runtime.discovery_modules") for path in faults)


@pytest.mark.parametrize("block", ["nodes", "services", "adapters"])
@pytest.mark.parametrize("value", [None, [], "x", {"n": 3}])
def test_nodes_services_and_adapters_are_mappings_of_mappings(minimal, refusal, block, value):
    assert all(path.startswith(block) for path in refusal({**minimal, block: value}))


def test_a_configuration_is_frozen(minimal):
    config = build_config(minimal)
    with pytest.raises(ValidationError):
        config.version = 1
    with pytest.raises(ValidationError):
        config.runtime.platform.bootstrap.mode = "process_supervisor"


def test_a_configuration_shares_nothing_with_the_mapping_that_it_was_built_from(minimal):
    minimal["nodes"] = {"parse": {"limits": [1]}}
    config = build_config(minimal)
    minimal["nodes"]["parse"]["limits"].append(2)
    assert config.nodes == {"parse": {"limits": [1]}}


def test_a_configuration_survives_pickling(four_groups):
    config = parse_config(four_groups)
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 (our own bytes)


def test_no_model_that_breaks_a_rule_can_be_constructed():
    with pytest.raises(ValidationError, match="at least one of nodes"):
        GroupConfig(name="empty")


def _models(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {model}.union(*(_models(child) for child in model.__subclasses__()))


(BASE,) = (base for base in Config.__bases__ if issubclass(base, BaseModel))


def test_every_model_is_closed_and_frozen():
    for model in _models(BASE):
        assert model.model_config["extra"] == "forbid", model
        assert model.model_config["frozen"], model


def test_every_block_of_a_configuration_has_a_public_type():
    assert {model.__name__ for model in _models(BASE) - {BASE}} <= set(sk_config.__all__)
