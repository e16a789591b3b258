"""`PATH=VALUE` over a document."""

from __future__ import annotations

import pytest
from sk_config import ConfigError, build_config, dump_config, override_data, parse_config

GROUPS = "runtime.platform.process_groups"


def _set(text, *overrides):
    return parse_config(text, overrides=overrides)


def _faults(text, *overrides):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, overrides=overrides)
    return {fault.path: fault for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-1.5", -1.5),
        ("true", True),
        ("", None),
        ('""', ""),
        ("word", "word"),
        ("-", "-"),
        ("- a", ["a"]),
        ("two words", "two words"),
        ('"3"', "3"),
        ("[1, a]", [1, "a"]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("a=b", "a=b"),
        ("http://127.0.0.1:80/x", "http://127.0.0.1:80/x"),
    ],
)
def test_a_value_is_yaml(minimal, text, value):
    assert build_config(minimal, overrides=[f"nodes.n.key={text}"]).nodes == {"n": {"key": value}}


def test_missing_mappings_on_the_way_are_made(minimal):
    config = build_config(minimal, overrides=["runtime.platform.batch.in_flight=4"])
    assert config.runtime.platform.batch.in_flight == 4


def test_an_empty_block_on_the_way_counts_as_missing(four_groups):
    text = four_groups.replace("control: {}", "control:")
    config = _set(text, "runtime.platform.execution_ipc.control.bind_port=7")
    assert config.runtime.platform.execution_ipc.control.bind_port == 7


def test_the_name_of_a_shorthand_scenario_can_be_set(four_groups):
    assert _set(four_groups, "scenario.name=other").scenario.name == "other"


def test_a_scenario_that_is_set_by_its_shorthand_is_one_like_any_other(minimal):
    overrides = ["scenario=${ENV:NAME}"]
    config = build_config(minimal, overrides=overrides, environ={"NAME": "hunter2"})
    assert config.scenario.name == "hunter2"
    assert "hunter2" not in repr(config.scenario)
    assert dump_config(config)["scenario"] == {"name": "${ENV:NAME}"}
    assert build_config(minimal, overrides=["scenario=a", "scenario.name=b"]).scenario.name == "b"


def test_an_index_reaches_into_a_list(four_groups):
    config = _set(four_groups, f"{GROUPS}[3].nodes[0]=other", f"{GROUPS}[3].workers=2")
    assert config.runtime.platform.process_groups[3].nodes[0] == "other"


def test_a_key_that_is_no_plain_name_is_quoted_in_brackets(minimal):
    config = build_config(minimal, overrides=['nodes["a.b [\\"c\\"]"].key=1'])
    assert config.nodes == {'a.b ["c"]': {"key": 1}}


def test_the_last_of_two_overrides_wins(minimal):
    assert build_config(minimal, overrides=["scenario=a", "scenario=b"]).scenario.name == "b"


@pytest.mark.parametrize(
    "override",
    ["", "word", "=1", "a..b=1", ".a=1", "a.=1", "a[x]=1", "a[1=2", "a[-1]=1", "a b=1", 'a["]=1'],
)
def test_a_malformed_path_is_a_fault_at_the_override(four_groups, override):
    faults = _faults(four_groups, "scenario=ok", override)
    assert [(p, f.category) for p, f in faults.items()] == [("overrides[1]", "override")]


def test_a_path_without_a_value_is_shown_with_the_form_that_is_wanted(four_groups):
    (fault,) = _faults(four_groups, "runtime.platform").values()
    assert fault.got == "runtime.platform without a value"
    assert "--set" in fault.expected


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("version.x=1", "version.x"),
        ("scenario.name.x=1", "scenario.name.x"),
        ("runtime[0]=1", "runtime[0]"),
        (f"{GROUPS}.workers=1", f"{GROUPS}.workers"),
        (f"{GROUPS}[4].workers=1", f"{GROUPS}[4]"),
        (f"{GROUPS}[999999999]=1", f"{GROUPS}[999999999]"),
        ("[0]=1", "[0]"),
    ],
)
def test_a_path_through_what_has_no_such_part_is_a_fault(four_groups, override, path):
    faults = _faults(four_groups, override)
    assert [(p, f.category) for p, f in faults.items()] == [(path, "override")]


@pytest.mark.parametrize("value", ["*star", "[1", "!tag x", "{a: 1, a: 2}", ".nan", "&a [*a]"])
def test_a_value_that_is_no_plain_yaml_is_a_fault_without_the_value(four_groups, value):
    faults = _faults(four_groups, f"nodes.n={value}")
    assert {fault.category for fault in faults.values()} == {"override"}
    assert all(path.startswith("nodes.n") for path in faults)
    assert "star" not in str(faults)


def test_an_override_is_checked_as_the_document_is_and_has_no_line(four_groups):
    faults = _faults(four_groups, f"{GROUPS}[0].workers=0", "runtime.plattform=1")
    assert faults[f"{GROUPS}[0].workers"].category == "bad_value"
    assert "did you mean platform?" in faults["runtime.plattform"].expected
    assert {fault.line for fault in faults.values()} == {None}


def test_a_fault_within_the_value_of_an_override_has_not_the_line_of_what_it_replaced(four_groups):
    group = "{name: g, nodes: [a], workers: 0}"
    (fault,) = _faults(four_groups, f"{GROUPS}[0]={group}").values()
    assert (fault.path, fault.line) == (f"{GROUPS}[0].workers", None)
    (fault,) = _faults(four_groups, f"{GROUPS}[0]={{name: '', nodes: [a]}}").values()
    assert (fault.path, fault.line) == (f"{GROUPS}[0].name", None)


def test_faults_of_overrides_come_with_those_of_a_text_that_cannot_be_read():
    assert set(_faults("a: [", "nonsense")) == {"", "overrides[0]"}


def test_what_overrides_say_by_themselves_is_plain_data() -> None:
    texts = ["a.b=1", "a={c: [x]}", "a.d=", "wrong", "e[0]=2", "f.g.h=true"]
    assert override_data(texts) == {"a": {"c": ["x"], "d": None}, "e": {}, "f": {"g": {"h": True}}}


def test_overrides_that_are_one_string_are_one_fault(minimal):
    with pytest.raises(ConfigError) as caught:
        build_config(minimal, overrides="version=1")
    [fault] = caught.value.faults
    assert (fault.path, fault.category) == ("overrides", "override")
    assert fault.got == "one string: write [...]"
