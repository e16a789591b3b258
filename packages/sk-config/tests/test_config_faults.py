"""Faults: all at once, where they are, in words that help and leak nothing."""

from __future__ import annotations

import pickle

import pytest
from sk_config import CATEGORIES, ConfigError, Fault, build_config, parse_config

MANY = """
version: 2
scenario: ""
runtime:
  discovery_modules: [app]
  platform:
    bootstrap: {mode: process_supervisor}
    execution_ipc: {auth: {secret_mode: static, ttl_seconds: 0}}
    process_groups:
      - {name: a, nodes: [x], workers: "2"}
      - {name: a, nodes: [x], worker: 1}
  observability: {tracing: {exporters: [{kind: two words}]}}
nodes: {x: 1}
adapters: {source: {}, sinks: {}}
"""


def _refuse(text: str, **options: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, **options)
    return caught.value


def test_all_faults_come_at_once_those_between_fields_among_them():
    found = {(fault.path, fault.category, fault.line) for fault in _refuse(MANY).faults}
    platform = "runtime.platform"
    assert found == {
        ("version", "bad_value", 2),
        ("scenario.name", "bad_value", 3),
        (f"{platform}.execution_ipc.transport", "conflict", 8),
        (f"{platform}.execution_ipc.control", "missing", 8),
        (f"{platform}.execution_ipc.auth.secret", "missing", 8),
        (f"{platform}.execution_ipc.auth.ttl_seconds", "bad_value", 8),
        (f"{platform}.process_groups[0].workers", "wrong_type", 10),
        (f"{platform}.process_groups[1].name", "conflict", 11),
        (f"{platform}.process_groups[1].nodes[0]", "conflict", 11),
        (f"{platform}.process_groups[1].worker", "unknown_key", 11),
        ("runtime.observability.tracing.exporters[0].kind", "bad_value", 12),
        ("nodes.x", "wrong_type", 13),
        ("adapters.source.name", "missing", 14),
        ("adapters.sinks", "unknown_key", 14),
    }


def test_an_error_lists_each_fault_on_a_line_of_its_own_in_the_order_of_the_document():
    error = _refuse(MANY, origin="run.yaml")
    heading, *lines = str(error).splitlines()
    assert heading == f"run.yaml: {len(error.faults)} faults in the configuration"
    assert lines == [f"  {fault}" for fault in error.faults]
    assert [fault.line for fault in error.faults] == sorted(f.line or 0 for f in error.faults)


def test_a_fault_reads_as_a_sentence():
    (fault,) = _refuse("{version: 1, scenario: x, runtime: {discovery_modules: a}}").faults
    assert str(fault) == (
        "runtime.discovery_modules: wrong_type: expected a list; got a string (line 1)"
    )


def test_a_fault_of_the_whole_document_says_so():
    (fault,) = _refuse("[]").faults
    assert str(fault) == "(document): wrong_type: expected a mapping; got a list of 0 items"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("null", "a mapping ({} for what it has by default); got null"),
        ("[{}, {}]", "one mapping; got a list of 2 items"),
        ("3", "a mapping; got an integer"),
    ],
)
def test_what_is_no_block_is_told_what_one_could_be(given, said):
    runtime = f"{{discovery_modules: [a], platform: {{health: {given}}}}}"
    (fault,) = _refuse(f"{{version: 1, scenario: x, runtime: {runtime}}}").faults
    assert str(fault) == f"runtime.platform.health: wrong_type: expected {said} (line 1)"


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("workres", "workers"), ("node", "nodes"), ("heartbeat", "heartbeat_seconds")],
)
def test_an_unknown_key_is_answered_with_the_nearest_known_one(refused_platform, typo, meant):
    group = {"name": "g", "stages": ["s"], typo: 1}
    fault = refused_platform({"process_groups": [group]})[f"process_groups[0].{typo}"]
    assert f"did you mean {meant}?" in fault.expected


def test_a_key_that_is_a_word_of_a_known_one_is_answered_with_that_one(refused_platform):
    fault = refused_platform({"execution_ipc": {"port": 7000}})["execution_ipc.port"]
    assert "did you mean bind_port?" in fault.expected


def test_what_is_no_scenario_is_answered_with_both_forms_of_one():
    (fault,) = _refuse("{version: 1, scenario: 12, runtime: {discovery_modules: [a]}}").faults
    assert (fault.category, fault.expected) == ("wrong_type", "a name, or a mapping")


def test_a_list_of_which_an_item_is_at_fault_is_not_said_to_be_empty_too():
    (fault,) = _refuse("{version: 1, scenario: x, runtime: {discovery_modules: [./a]}}").faults
    assert fault.path == "runtime.discovery_modules[0]"


def test_an_unknown_key_unlike_any_known_one_is_answered_with_all_of_them(minimal, refusal):
    fault = refusal({**minimal, "zzzzzz": 1})["zzzzzz"]
    assert fault.expected == "one of version, scenario, runtime, nodes, services, adapters"


@pytest.mark.parametrize(
    "auth",
    [
        {"secrett": "hunter2"},
        {"secret": ["hunter2"], "secret_mode": "static"},
        {"secret": "hunter2"},
        {"secret": "hunter2", "secret_mode": "generated", "ttl_seconds": 0},
        {"secret": {"hunter2": "hunter2"}},
        "hunter2",
        ["hunter2"],
    ],
)
def test_no_fault_shows_a_secret_wherever_it_was_put(refused_platform, auth):
    faults = refused_platform({"execution_ipc": {"auth": auth}})
    assert "hunter2" not in str(list(faults.values()))


def test_an_error_drags_no_foreign_exception_with_values_along(minimal):
    with pytest.raises(ConfigError) as caught:
        build_config({**minimal, "version": 7})
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_a_long_value_and_a_long_key_are_cut(minimal, refusal):
    minimal["x" * 5000] = 1
    minimal["runtime"]["platform"] = {"bootstrap": {"mode": "y" * 5000}}
    assert all(len(str(fault)) < 500 for fault in refusal(minimal).values())


def test_control_characters_are_escaped(minimal, refusal):
    minimal["a\nb\x1b[31m"] = 1
    minimal["runtime"]["platform"] = {"bootstrap": {"mode": "y\nz\x1b[31m"}}
    assert all(str(fault).isprintable() for fault in refusal(minimal).values())


@pytest.mark.parametrize(
    ("value", "category"),
    [
        (object(), "wrong_type"),
        ({1, 2}, "wrong_type"),
        (b"bytes", "wrong_type"),
        (float("nan"), "bad_value"),
        (2**64, "bad_value"),
        pytest.param(10**5000, "bad_value", id="thousands of digits"),
        ("\ud800", "bad_value"),
        ({7: "x"}, "wrong_type"),
        pytest.param({10**5000: "x"}, "wrong_type", id="a key of thousands of digits"),
        ({"\ud800": "x"}, "bad_value"),
    ],
)
def test_free_settings_hold_plain_data_only(minimal, refusal, value, category):
    fault = refusal({**minimal, "nodes": {"n": {"setting": value}}})["nodes.n.setting"]
    assert fault.category == category


def test_a_mapping_that_holds_itself_is_refused(minimal, refusal):
    loop: dict[str, object] = {}
    loop["again"] = loop
    minimal["nodes"] = {"n": loop}
    with pytest.raises(ConfigError) as caught:
        build_config(minimal)
    assert [fault.category for fault in caught.value.faults] == ["too_large"]


def test_an_error_survives_pickling():
    error = ConfigError((Fault("a", "missing", "a", "nothing", 3),), "run.yaml")
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    assert (copied.faults, copied.origin, str(copied)) == (error.faults, error.origin, str(error))


def test_every_category_of_a_fault_is_of_the_closed_set():
    assert {fault.category for fault in _refuse(MANY).faults} <= set(CATEGORIES)
