"""`runtime.failure`: what becomes of a record on which a node raises."""

from __future__ import annotations

from typing import Any

import pytest
from sk_config import build_config


@pytest.fixture
def refused(minimal: dict[str, Any], refusal: Any) -> Any:
    """Build a configuration with this failure block, and give its faults by path in it."""

    def refuse(failure: object) -> dict[str, Any]:
        minimal["runtime"]["failure"] = failure
        faults = refusal(minimal)
        return {path.removeprefix("runtime.failure."): f.category for path, f in faults.items()}

    return refuse


def test_a_node_that_raises_ends_the_run_unless_told_otherwise(minimal):
    failure = build_config(minimal).runtime.failure
    assert (failure.default.policy, failure.default.attempts) == ("fail", 1)
    assert (failure.nodes, failure.dead_letter) == ({}, None)


def test_a_node_may_have_a_policy_of_its_own(minimal):
    minimal["runtime"]["failure"] = {
        "default": {"policy": "skip"},
        "nodes": {"parse": {"policy": "dead_letter", "attempts": 3}, "sum": {"policy": "fail"}},
        "dead_letter": {"path": "dead.jsonl"},
    }
    failure = build_config(minimal).runtime.failure
    parse = failure.nodes["parse"]
    assert (parse.policy, parse.attempts) == ("dead_letter", 3)
    assert (failure.default.policy, failure.nodes["sum"].policy) == ("skip", "fail")
    assert failure.dead_letter is not None
    assert failure.dead_letter.path == "dead.jsonl"


@pytest.mark.parametrize("policy", ["retry", "FAIL", "", None, 1])
def test_an_unknown_policy_is_refused(refused, policy):
    assert list(refused({"default": {"policy": policy}})) == ["default.policy"]


@pytest.mark.parametrize("attempts", [0, -1, 1.0, "2", True, None])
def test_attempts_are_a_positive_integer(refused, attempts):
    given = {"nodes": {"parse": {"policy": "skip", "attempts": attempts}}}
    assert list(refused(given)) == ["nodes.parse.attempts"]


def test_what_ends_the_run_is_called_once(refused):
    given = {"default": {"attempts": 2}, "nodes": {"parse": {"policy": "fail", "attempts": 3}}}
    assert refused(given) == {"default.attempts": "conflict", "nodes.parse.attempts": "conflict"}


def test_dead_letters_need_a_path(refused):
    for given in (
        {"default": {"policy": "dead_letter"}},
        {"nodes": {"a": {"policy": "dead_letter"}}},
    ):
        assert refused(given) == {"dead_letter": "missing"}


def test_a_path_needs_dead_letters(refused):
    assert refused({"dead_letter": {"path": "dead.jsonl"}}) == {"dead_letter": "conflict"}


@pytest.mark.parametrize("name", ["default", "nodes", "dead_letter"])
def test_unknown_keys_are_refused(refused, name):
    block = {"unknown": 1}
    given = {name: {"parse": block} if name == "nodes" else block}
    assert any(path.endswith("unknown") for path in refused(given))


def test_a_fault_here_hides_none_elsewhere(refused, minimal):
    minimal["unknown"] = 1
    found = refused({"default": {"policy": "dead_letter", "attempts": 0}})
    assert {"unknown", "default.attempts", "dead_letter"} <= found.keys()
