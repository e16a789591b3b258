"""Modes, what the multiprocess mode needs, readiness and batches."""

from __future__ import annotations

import pytest
from sk_config import build_config


@pytest.mark.contract("BOOT-CFG-01")
@pytest.mark.parametrize("mode", ["a fork", "", "INLINE", None, 1])
def test_a_mode_that_can_be_no_supervisors_name_is_rejected(refused_platform, mode):
    fault = refused_platform({"bootstrap": {"mode": mode}})["bootstrap.mode"]
    assert fault.category in ("bad_value", "wrong_type")
    assert "'inline' or 'process_supervisor'" in fault.expected or fault.category == "wrong_type"


def test_a_mode_that_another_package_may_provide_is_left_to_the_preflight(minimal):
    minimal["runtime"]["platform"] = {"bootstrap": {"mode": "some-engine.v2"}}
    assert build_config(minimal).runtime.platform.bootstrap.mode == "some-engine.v2"


@pytest.mark.contract("BOOT-CFG-04")
@pytest.mark.parametrize("platform", [{}, {"bootstrap": {}}])
def test_the_mode_defaults_to_inline(minimal, platform):
    minimal["runtime"]["platform"] = platform
    assert build_config(minimal).runtime.platform.bootstrap.mode == "inline"


@pytest.mark.contract("BOOT-CFG-05")
@pytest.mark.parametrize("transport", [{}, {"transport": "memory"}])
def test_process_supervisor_requires_tcp_local(supervised, refusal, transport):
    supervised["runtime"]["platform"]["execution_ipc"] = {"control": {}, **transport}
    faults = refusal(supervised)
    assert list(faults) == ["runtime.platform.execution_ipc.transport"]
    assert faults["runtime.platform.execution_ipc.transport"].category == "conflict"


@pytest.mark.contract("P5PRE-CFG-05")
@pytest.mark.parametrize("control", [{}, {"control": None}])
def test_process_supervisor_requires_the_control_plane(supervised, refusal, control):
    supervised["runtime"]["platform"]["execution_ipc"] = {"transport": "tcp_local", **control}
    faults = refusal(supervised)
    assert list(faults) == ["runtime.platform.execution_ipc.control"]
    assert faults["runtime.platform.execution_ipc.control"].category == "missing"


@pytest.mark.parametrize("groups", [{}, {"process_groups": []}])
def test_process_supervisor_requires_a_group(supervised, refusal, groups):
    platform = supervised["runtime"]["platform"]
    del platform["process_groups"]
    platform.update(groups)
    assert refusal(supervised)["runtime.platform.process_groups"].category == "missing"


def test_process_supervisor_alone_misses_all_that_it_needs_at_once(refused_platform):
    assert set(refused_platform({"bootstrap": {"mode": "process_supervisor"}})) == {
        "execution_ipc.transport",
        "execution_ipc.control",
        "process_groups",
    }


def test_a_supervised_configuration_is_accepted(supervised):
    assert build_config(supervised).runtime.platform.execution_ipc.control is not None


@pytest.mark.contract("P5PRE-CFG-07")
@pytest.mark.parametrize(
    ("readiness", "path"),
    [
        (True, "readiness"),
        ([], "readiness"),
        ({"enabled": "yes"}, "readiness.enabled"),
        ({"enabled": 1}, "readiness.enabled"),
        ({"start_work_on_all_groups_ready": None}, "readiness.start_work_on_all_groups_ready"),
        ({"readiness_timeout_seconds": 0}, "readiness.readiness_timeout_seconds"),
        ({"readiness_timeout_seconds": "30"}, "readiness.readiness_timeout_seconds"),
        ({"readiness_timeout_seconds": True}, "readiness.readiness_timeout_seconds"),
        ({"timeout": 3}, "readiness.timeout"),
    ],
)
def test_an_invalid_readiness_block_is_rejected(refused_platform, readiness, path):
    assert list(refused_platform({"readiness": readiness})) == [path]


@pytest.mark.parametrize(
    ("readiness", "starts", "seconds"),
    [({}, [], 30), ({}, [7], 7), ({}, [7, 60, 9], 60), ({"readiness_timeout_seconds": 5}, [60], 5)],
)
def test_the_readiness_timeout_defaults_to_the_largest_start_timeout(
    minimal, readiness, starts, seconds
):
    groups = [
        {"name": f"g{i}", "nodes": [f"n{i}"], "start_timeout_seconds": start}
        for i, start in enumerate(starts)
    ]
    minimal["runtime"]["platform"] = {"readiness": readiness, "process_groups": groups}
    assert build_config(minimal).runtime.platform.readiness_timeout_seconds == seconds


@pytest.mark.parametrize("field", ["max_records", "max_bytes", "in_flight"])
@pytest.mark.parametrize("value", [0, -1, True, "1", 1.5])
def test_the_limits_of_a_batch_are_positive_integers(refused_platform, field, value):
    assert list(refused_platform({"batch": {field: value}})) == [f"batch.{field}"]


@pytest.mark.parametrize(
    "field", ["routing_cache.max_entries", "requests.max_in_flight", "requests.timeout_seconds"]
)
@pytest.mark.parametrize("value", [0, -1, True, "1"])
def test_the_limits_of_requests_are_positive_integers(refused_platform, field, value):
    block, _, name = field.partition(".")
    assert list(refused_platform({block: {name: value}})) == [field]


@pytest.mark.parametrize("field", ["enabled", "negative_cache"])
def test_what_the_routing_cache_does_is_yes_or_no(refused_platform, field):
    assert list(refused_platform({"routing_cache": {field: 1}})) == [f"routing_cache.{field}"]


def test_modules_of_workers_are_no_main_module(supervised, refusal):
    """A worker has a `__main__` of its own, in which nothing is declared."""
    supervised["runtime"]["discovery_modules"] = ["app.nodes", "__main__"]
    faults = refusal(supervised)
    assert list(faults) == ["runtime.discovery_modules[1]"]
    assert "a module that workers can import" in faults["runtime.discovery_modules[1]"].expected


def test_a_script_may_discover_itself_in_one_process(minimal):
    minimal["runtime"]["discovery_modules"] = ["__main__"]
    assert build_config(minimal).runtime.discovery_modules == ("__main__",)
