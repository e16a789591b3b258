"""`${ENV:NAME}` and `${FILE:path}`: brought in, and never shown again."""

from __future__ import annotations

import copy
import os
import pickle

import pytest
from sk_config import ConfigError, build_config, dump_config, load_config, secret_values

HIDDEN = "hunter2-\u00e9-and-a-half"


@pytest.fixture
def build(minimal, tmp_path):
    """Build the minimal configuration with these settings of a node `n`."""

    def build(settings, environ=None, **more):
        mapping = {**minimal, "nodes": {"n": settings}, **more}
        return build_config(mapping, base_dir=tmp_path, environ=environ or {})

    return build


@pytest.fixture
def faults(build):
    def faults(settings, environ=None, **more):
        with pytest.raises(ConfigError) as caught:
            build(settings, environ, **more)
        return {fault.path: fault for fault in caught.value.faults}

    return faults


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${ENV:TOKEN}", HIDDEN),
        ("Bearer ${ENV:TOKEN}", f"Bearer {HIDDEN}"),
        ("${ENV:TOKEN}/${ENV:_2}", f"{HIDDEN}/two"),
        ("$${ENV:TOKEN}", "${ENV:TOKEN}"),
        ("$$${ENV:TOKEN}", "$${ENV:TOKEN}"),
        ("$${}${ENV:_2}", "${}two"),
        ("$ENV:TOKEN", "$ENV:TOKEN"),
        ("a$b{c}$$", "a$b{c}$$"),
    ],
)
def test_a_variable_is_expanded_and_an_escape_taken_away(build, text, value):
    environ = {"TOKEN": HIDDEN, "_2": "two"}
    assert build({"k": [{"deep": text}]}, environ).nodes["n"]["k"][0]["deep"] == value


def test_an_expanded_text_is_not_expanded_again(build):
    assert build({"k": "${ENV:A}"}, {"A": "${ENV:B}"}).nodes["n"]["k"] == "${ENV:B}"


def test_keys_are_not_expanded(build):
    assert build({"${ENV:A}": 1}, {"A": "x"}).nodes["n"] == {"${ENV:A}": 1}


def test_the_process_environment_is_the_default(minimal, monkeypatch):
    monkeypatch.setenv("SK_CONFIG_TEST", "from outside")
    config = build_config({**minimal, "scenario": "${ENV:SK_CONFIG_TEST}"})
    assert config.scenario.name == "from outside"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"x", "x"),
        (b"x\n", "x"),
        (b"x\r\n", "x"),
        (b"x\n\n", "x\n"),
        (b" x\ty ", " x\ty "),
        (b"", ""),
    ],
)
def test_a_file_is_expanded_without_its_last_newline(build, tmp_path, content, value):
    (tmp_path / "token").write_bytes(content)
    assert build({"k": "${FILE:token}"}).nodes["n"]["k"] == value


def test_a_file_is_looked_for_beside_the_configuration(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "name").write_text("found\n", encoding="utf-8")
    (tmp_path / "run.yaml").write_text(
        "{version: 1, scenario: '${FILE:secrets/name}', runtime: {discovery_modules: [a]}}",
        encoding="utf-8",
    )
    assert load_config(tmp_path / "run.yaml").scenario.name == "found"


def test_an_absolute_path_is_taken_as_it_is(build, tmp_path):
    (tmp_path / "token").write_text("x", encoding="utf-8")
    assert build({"k": f"${{FILE:{tmp_path}/token}}"}).nodes["n"]["k"] == "x"


def test_a_missing_variable_and_a_missing_file_are_faults_with_their_names(faults):
    found = faults({"a": "${ENV:NOWHERE}", "b": "${FILE:no/where}", "c": "${ENV:A}"}, {"A": "x"})
    assert {path: fault.category for path, fault in found.items()} == {
        "nodes.n.a": "secret",
        "nodes.n.b": "secret",
    }
    assert "NOWHERE" in found["nodes.n.a"].expected
    assert "'no/where'" in found["nodes.n.b"].expected


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (1024 * 1024 + 1)])
def test_a_file_that_is_no_text_or_too_long_is_a_fault(faults, tmp_path, content):
    (tmp_path / "token").write_bytes(content)
    assert faults({"k": "${FILE:token}"})["nodes.n.k"].category == "secret"


def test_a_variable_that_is_no_text_is_a_fault(faults):
    environ = {"A": os.fsdecode(b"\xff")}
    assert faults({"k": "${ENV:A}"}, environ)["nodes.n.k"].category == "secret"


@pytest.mark.parametrize(
    "text",
    ["${", "${TOKEN}", "${env:TOKEN}", "${ENV:}", "${ENV:A-B}", "${ENV:TOKEN", "${FILE:}", "x${y}"],
)
def test_a_malformed_placeholder_is_a_fault_that_does_not_show_the_text(faults, text):
    fault = faults({"k": f"hunter2{text}"})["nodes.n.k"]
    assert fault.category == "bad_value"
    assert "hunter2" not in str(fault)


def test_an_expanded_value_that_is_refused_shows_as_its_placeholder(faults):
    platform = {
        "bootstrap": {"mode": "${ENV:A}"},
        "process_groups": [{"name": name, "stages": ["s"]} for name in ("${ENV:A}", "${ENV:A}")],
    }
    runtime = {"discovery_modules": ["app"], "platform": platform}
    found = faults({}, {"A": HIDDEN}, runtime=runtime)
    assert {fault.got for fault in found.values()} == {"what the string '${ENV:A}' gives"}
    assert set(found) == {
        "runtime.platform.bootstrap.mode",
        "runtime.platform.process_groups[1].name",
    }


@pytest.fixture
def config(build, supervised):
    """A configuration with expanded values in every kind of place."""
    runtime = supervised["runtime"]
    runtime["platform"]["process_groups"][0]["tags"] = ["${ENV:TOKEN}"]
    runtime["platform"]["execution_ipc"]["auth"] = {
        "secret_mode": "static",
        "secret": "${ENV:TOKEN}",
    }
    exporter = {"kind": "jsonl", "settings": {"headers": {"token": "Bearer ${ENV:TOKEN}"}}}
    runtime["observability"] = {"tracing": {"exporters": [exporter]}}
    adapters = {"sink": {"name": "x", "settings": {"list": [["${ENV:TOKEN}"]]}}}
    settings = {"password": "${ENV:TOKEN}", "literal": "$${x}"}
    return build(
        settings, {"TOKEN": HIDDEN}, runtime=runtime, adapters=adapters, scenario="${ENV:TOKEN}"
    )


def test_a_dump_shows_placeholders_as_they_were_written(config):
    dump = dump_config(config)
    assert HIDDEN not in str(dump)
    assert dump["nodes"]["n"] == {"password": "${ENV:TOKEN}", "literal": "$${x}"}
    auth = dump["runtime"]["platform"]["execution_ipc"]["auth"]
    assert auth == {**auth, "secret": "${ENV:TOKEN}"}
    assert dump["scenario"] == {"name": "${ENV:TOKEN}"}
    assert dump["runtime"]["observability"]["tracing"]["exporters"][0]["settings"] == {
        "headers": {"token": "Bearer ${ENV:TOKEN}"}
    }


def test_a_dump_with_placeholders_builds_the_same_configuration(config):
    assert build_config(dump_config(config), environ={"TOKEN": HIDDEN}) == config


def test_no_model_shows_an_expanded_value(config):
    runtime = config.runtime
    for model in (
        config,
        config.scenario,
        runtime,
        runtime.platform,
        runtime.platform.process_groups[0],
        runtime.observability.tracing.exporters[0],
        config.adapters,
        config.adapters.sink,
        copy.deepcopy(config),
        pickle.loads(pickle.dumps(config)),  # noqa: S301 (our own bytes)
        config.model_copy(update={"nodes": {}}),
    ):
        assert HIDDEN not in repr(model) + str(model)
        assert "${ENV:TOKEN}" in repr(model)


def test_the_values_themselves_are_there_for_the_machine(config):
    assert config.nodes["n"] == {"password": HIDDEN, "literal": "${x}"}
    assert config.model_dump(mode="json")["nodes"]["n"]["password"] == HIDDEN


def test_a_literal_secret_is_masked_in_a_dump_which_is_then_no_configuration(supervised, refusal):
    auth = {"secret_mode": "static", "secret": "abracadabra, abracadabra"}
    supervised["runtime"]["platform"]["execution_ipc"]["auth"] = auth
    dump = dump_config(build_config(supervised))
    assert "abracadabra, abracadabra" not in str(dump)
    assert list(refusal(dump)) == ["runtime.platform.execution_ipc.auth.secret"]


def test_what_nobody_may_be_shown_is_known(minimal, tmp_path):
    (tmp_path / "key").write_text("from a file\n")
    minimal["nodes"] = {
        "n": {"url": "tcp://me:${ENV:A}@host", "plain": "open", "k": ["${FILE:key}"]}
    }
    auth = {"secret_mode": "static", "secret": "a literal, in the file"}
    minimal["runtime"]["platform"] = {"execution_ipc": {"auth": auth}}
    config = build_config(minimal, base_dir=tmp_path, environ={"A": "from-outside", "B": "unused"})
    assert secret_values(config) == {"from-outside", "from a file", "a literal, in the file"}


def test_an_empty_text_is_nothing_to_hide(minimal):
    """A filter that looked for it would find it everywhere."""
    config = build_config({**minimal, "nodes": {"n": {"k": "${ENV:A}"}}}, environ={"A": ""})
    assert secret_values(config) == frozenset()


@pytest.fixture
def workers(supervised):
    """Build a configuration whose first group has this many workers."""

    def workers(value, environ, **more):
        supervised["runtime"]["platform"]["process_groups"][0] |= {"workers": value, **more}
        return build_config(supervised, environ=environ)

    return workers


def group_of(config):
    return config.runtime.platform.process_groups[0]


def test_where_a_field_wants_an_integer_a_placeholder_gives_one(workers):
    assert group_of(workers("${ENV:W}", {"W": "3"})).workers == 3


def test_where_a_field_wants_a_number_or_a_boolean_a_placeholder_gives_one(minimal):
    minimal["runtime"]["observability"] = {
        "logging": {"lifecycle_events": {"worker_output": "${ENV:B}"}},
        "tracing": {"sampling_ratio": "${ENV:R}"},
    }
    observability = build_config(minimal, environ={"B": "true", "R": "0.5"}).runtime.observability
    assert observability.logging.lifecycle_events.worker_output is True
    assert observability.tracing.sampling_ratio == 0.5


def test_a_number_of_a_placeholder_is_no_secret_and_is_dumped_as_it_was_written(workers):
    config = workers("${ENV:W}", {"W": "3"})
    assert secret_values(config) == frozenset()
    assert dump_config(config)["runtime"]["platform"]["process_groups"][0]["workers"] == "${ENV:W}"


def test_what_is_a_number_in_one_place_and_a_text_in_another_stays_secret(workers):
    config = workers("${ENV:W}", {"W": "3"}, tags=["${ENV:W}"])
    assert (group_of(config).workers, group_of(config).tags) == (3, ("3",))
    assert secret_values(config) == {"3"}


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("${ENV:W}", "three"),
        ("${ENV:W}", "2.5"),
        ("${ENV:W}", "true"),
        ("${ENV:W}", ""),
        ("${ENV:W}", "[3]"),
        ("${ENV:W}", "{"),
        ("1${ENV:W}", "3"),
        ("${ENV:W}${ENV:W}", "3"),
    ],
)
def test_what_is_no_number_or_no_whole_value_is_refused_without_being_shown(
    workers, written, given
):
    with pytest.raises(ConfigError) as caught:
        workers(written, {"W": given})
    [fault] = caught.value.faults
    assert (fault.expected, fault.got) == ("an integer", f"what the string {written!r} gives")


def test_a_number_of_a_placeholder_that_is_out_of_bounds_is_refused_without_being_shown(workers):
    with pytest.raises(ConfigError) as caught:
        workers("${ENV:W}", {"W": "0"})
    [fault] = caught.value.faults
    assert (fault.expected, fault.got) == ("at least 1", "what the string '${ENV:W}' gives")


def test_a_number_that_is_written_as_a_text_is_refused(workers):
    with pytest.raises(ConfigError, match="expected an integer; got the string '3'"):
        workers("3", {})
