"""`process_groups`: names, selectors, workers and patience."""

from __future__ import annotations

import pytest
from sk_config import ConfigError, build_config


def _group(**values):
    return {"process_groups": [{"name": "g", "nodes": ["a"], **values}]}


@pytest.mark.contract("CFG-PROC-01")
@pytest.mark.parametrize(
    ("groups", "path"),
    [
        ({}, "process_groups"),
        ("g", "process_groups"),
        (None, "process_groups"),
        ([None], "process_groups[0]"),
        ([["g"]], "process_groups[0]"),
        ([{"name": "g", "nodes": "a"}], "process_groups[0].nodes"),
        ([{"name": "g", "nodes": ["a", 7]}], "process_groups[0].nodes[1]"),
        ([{"name": "g", "nodes": ["a", ""]}], "process_groups[0].nodes[1]"),
        ([{"name": "g", "nodes": ["a"]}, {"nodes": ["b"]}], "process_groups[1].name"),
        ([{"name": 3, "nodes": ["a"]}], "process_groups[0].name"),
    ],
)
def test_a_malformed_structure_is_rejected_at_its_path(refused_platform, groups, path):
    assert path in refused_platform({"process_groups": groups})


@pytest.mark.contract("CFG-PROC-02")
@pytest.mark.parametrize("name", ["", " ", "two words"])
def test_an_empty_name_is_rejected(refused_platform, name):
    fault = refused_platform(_group(name=name))["process_groups[0].name"]
    assert fault.category == "bad_value"


def test_a_name_leaves_a_worker_room_for_its_number(refused_platform, supervised):
    supervised["runtime"]["platform"].update(_group(name="g" * 60))
    build_config(supervised)
    fault = refused_platform(_group(name="g" * 61))["process_groups[0].name"]
    assert (fault.category, fault.expected) == ("bad_value", "at most 60 characters")


@pytest.mark.contract("CFG-PROC-03")
def test_a_duplicate_name_is_rejected_where_it_comes_again(refused_platform):
    groups = [{"name": name, "nodes": [f"n{i}"]} for i, name in enumerate(["a", "b", "a"])]
    faults = refused_platform({"process_groups": groups})
    assert [(path, fault.category) for path, fault in faults.items()] == [
        ("process_groups[2].name", "conflict")
    ]


@pytest.mark.contract("CFG-PROC-04")
@pytest.mark.parametrize("selector", ["names", "node", "labels", "modules"])
def test_an_unsupported_selector_is_rejected(refused_platform, selector):
    fault = refused_platform(_group(**{selector: ["x"]}))[f"process_groups[0].{selector}"]
    assert fault.category == "unknown_key"
    assert all(known in fault.expected for known in ("nodes", "stages", "tags", "runners"))


@pytest.mark.contract("CFG-PROC-04")
@pytest.mark.parametrize("selector", ["nodes", "stages", "tags", "runners"])
def test_each_supported_selector_is_enough(minimal, selector):
    minimal["runtime"]["platform"] = {"process_groups": [{"name": "g", selector: ["x", "y"]}]}
    group = build_config(minimal).runtime.platform.process_groups[0]
    assert getattr(group, selector) == ("x", "y")


@pytest.mark.parametrize("empty", [{}, {"nodes": []}, {"stages": [], "tags": []}])
def test_a_group_that_selects_nothing_is_rejected(refused_platform, empty):
    faults = refused_platform({"process_groups": [{"name": "g", **empty}]})
    assert faults["process_groups[0]"].category == "missing"


def test_a_node_named_twice_in_a_group_is_rejected(refused_platform):
    fault = refused_platform(_group(nodes=["a", "b", "a"]))["process_groups[0].nodes[2]"]
    assert fault.category == "conflict"


def test_a_node_named_in_two_groups_is_rejected_in_the_second(refused_platform):
    groups = [{"name": "g", "nodes": ["a"]}, {"name": "h", "nodes": ["b", "a"]}]
    fault = refused_platform({"process_groups": groups})["process_groups[1].nodes[1]"]
    assert fault.category == "conflict"
    assert "process_groups[0]" in fault.expected


@pytest.mark.contract("P5PRE-CFG-01")
@pytest.mark.parametrize("workers", ["2", 2.0, True, None, [2], {}])
def test_workers_of_the_wrong_type_are_rejected(refused_platform, workers):
    fault = refused_platform(_group(workers=workers))["process_groups[0].workers"]
    assert (fault.category, fault.expected) == ("wrong_type", "an integer")


@pytest.mark.parametrize("workers", [129, 1000, 2**63])
def test_more_workers_than_keys_are_shared_out_in_are_rejected(refused_platform, workers):
    fault = refused_platform(_group(workers=workers))["process_groups[0].workers"]
    assert fault.expected == "at most 128"


@pytest.mark.contract("P5PRE-CFG-02")
@pytest.mark.parametrize("workers", [0, -1, -(2**63)])
def test_workers_below_one_are_rejected(refused_platform, workers):
    fault = refused_platform(_group(workers=workers))["process_groups[0].workers"]
    assert (fault.category, fault.expected) == ("bad_value", "at least 1")


@pytest.mark.parametrize(
    "field",
    [
        "heartbeat_seconds",
        "stuck_after_seconds",
        "start_timeout_seconds",
        "stop_timeout_seconds",
    ],
)
@pytest.mark.parametrize("value", [0, -5, True, "5", 2.5, 86_401])
def test_seconds_are_positive_integers_of_at_most_a_day(refused_platform, field, value):
    assert f"process_groups[0].{field}" in refused_platform(_group(**{field: value}))


def test_an_unknown_runner_profile_is_rejected(refused_platform):
    fault = refused_platform(_group(runner_profile="thread"))["process_groups[0].runner_profile"]
    assert fault.expected == "'sync' or 'async'"


def test_a_worker_may_stand_still_without_limit(refused_platform, minimal):
    minimal["runtime"]["platform"] = _group(stuck_after_seconds=None, on_stuck="fail")
    [group] = build_config(minimal).runtime.platform.process_groups
    assert (group.stuck_after_seconds, group.on_stuck) == (None, "fail")
    fault = refused_platform(_group(on_stuck="kill"))["process_groups[0].on_stuck"]
    assert (fault.category, fault.expected) == ("bad_value", "'report' or 'fail'")


def test_a_restart_policy_is_never_or_on_failure(refused_platform):
    path = "process_groups[0].restart.policy"
    fault = refused_platform(_group(restart={"policy": "always"}))[path]
    assert (fault.category, fault.expected) == ("bad_value", "'never' or 'on_failure'")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("intensity", 0),
        ("period_seconds", 0),
        ("period_seconds", 1.5),
        ("backoff_seconds", -0.1),
        ("backoff_seconds", "1"),
        ("backoff_seconds", True),
        ("backoff_max_seconds", float("inf")),
    ],
)
def test_a_restart_that_cannot_be_is_rejected_at_its_field(refused_platform, field, value):
    faults = refused_platform(_group(restart={field: value}))
    assert f"process_groups[0].restart.{field}" in faults


def test_the_longest_backoff_may_be_the_first(minimal):
    same = {"backoff_seconds": 5, "backoff_max_seconds": 5}
    minimal["runtime"]["platform"] = _group(restart=same)
    [group] = build_config(minimal).runtime.platform.process_groups
    assert group.restart.backoff_max_seconds == group.restart.backoff_seconds == 5


def test_the_longest_backoff_is_not_below_the_first(refused_platform, minimal):
    restart = {"backoff_seconds": 5, "backoff_max_seconds": 1.5}
    fault = refused_platform(_group(restart=restart))[
        "process_groups[0].restart.backoff_max_seconds"
    ]
    assert (fault.category, fault.expected) == ("conflict", "at least backoff_seconds (5)")
    minimal["runtime"]["platform"] = _group(restart={"backoff_seconds": 20.5})
    with pytest.raises(ConfigError):  # the default of the longest is below it, and said so
        build_config(minimal)
