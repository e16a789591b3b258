"""YAML and JSON: what is read, what is refused, and where the fault is."""

from __future__ import annotations

import json

import pytest
from sk_config import Config, ConfigError, dump_config, parse_config

HEAD = "version: 1\nscenario: x\nruntime: {discovery_modules: [app]}\n"


def _faults(text, **options):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, **options)
    return caught.value.faults


def _settings(yaml_text):
    return parse_config(f"{HEAD}nodes: {{n: {yaml_text}}}").nodes["n"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2000-01-03", "2000-01-03"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-0.0", -0.0),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("!!int 7", 7),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    read = _settings(f"{{k: {text}}}")["k"]
    assert (type(read), read) == (type(value), value)


def test_a_duplicate_key_is_a_fault_with_both_lines_and_hides_no_other():
    faults = _faults(f"{HEAD}nodes:\n  a: {{}}\n  b: 3\n  a: {{}}\n")
    assert [(f.path, f.category, f.line) for f in faults] == [
        ("nodes.b", "wrong_type", 6),
        ("nodes.a", "syntax", 7),
    ]
    assert faults[1].got == "a second one; the first is on line 5"


def test_a_key_that_comes_three_times_gives_two_faults():
    faults = _faults(f"{HEAD}nodes: {{}}\nnodes: {{}}\nnodes: {{}}\n")
    assert [fault.line for fault in faults] == [5, 6]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1,\n2\n", 3),
        ("a: b: c", 1),
        ("a: 1\n\tb: 2", 2),
        ("a: 'x", 1),
        ("a: 1\n\x07", 2),
        ("--- a\n--- b", 2),
        ("%YAML 2.0\n---\na: 1", 1),
        ("a: *missing", 1),
        ("&a [", 1),
    ],
)
def test_a_syntax_fault_has_its_line(text, line):
    (fault,) = _faults(text)
    assert (fault.path, fault.category, fault.line) == ("", "syntax", line)


def test_a_tab_is_named_with_what_to_write_for_it():
    (fault,) = _faults("a: 1\n\tb: 2")
    assert "a tab: indent with spaces" in str(fault)


def test_a_placeholder_without_quotes_in_a_flow_mapping_is_named_with_what_to_write():
    (fault,) = _faults("nodes: {n: {password: ${ENV:X}}}")
    assert '"${ENV:NAME}"' in fault.expected
    (fault,) = _faults("nodes: {n: {password: {ENV:X}}")
    assert fault.expected == "valid YAML"


@pytest.mark.parametrize("text", ['a: "\\U99999999"', f"%YAML {'9' * 5000}.1\n---\na: 1"])
def test_text_that_breaks_the_yaml_reader_itself_is_a_syntax_fault(text):
    assert [fault.category for fault in _faults(text)] == ["syntax"]


@pytest.mark.parametrize("text", ["secret: *hunter2", "secret: !hunter2!x y", "a: !hunter2 x"])
def test_a_syntax_fault_shows_no_piece_of_the_text(text):
    assert "hunter2" not in str(_faults(text))


@pytest.mark.parametrize(
    "value",
    ["!!python/object/apply:os.getcwd []", "!!binary aGk=", "!!set {a}", "!own {a: 1}", "!!int x"],
)
def test_a_tag_makes_no_object(value):
    faults = _faults(f"{HEAD}nodes: {{n: {{k: {value}}}}}")
    assert ("nodes.n.k", "bad_value") in {(fault.path, fault.category) for fault in faults}


@pytest.mark.parametrize("key", ["1", "true", "~", "[a]", "{a: b}", "<<", "!tag x"])
def test_a_key_is_a_plain_string(key):
    assert [f.path for f in _faults(f"{HEAD}nodes: {{n: {{? {key} : {{}}}}}}")] == ["nodes.n"]


def test_anchors_and_aliases_are_read():
    assert _settings("{a: &x [1, {b: 2}], c: *x}") == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}


def test_a_bomb_of_aliases_is_refused():
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 30)]
    (fault,) = _faults("\n".join(["l0: &l0 [x, x]", *levels]))
    assert fault.category == "too_large"


@pytest.mark.parametrize("text", ["a: &x [*x]", "&x {a: *x}"])
def test_an_alias_within_its_own_anchor_is_refused(text):
    assert [fault.category for fault in _faults(text)] == ["too_large"]


@pytest.mark.parametrize("text_format", ["yaml", "json"])
@pytest.mark.parametrize("depth", [70, 5_000, 100_000])
def test_deep_nesting_is_refused(text_format, depth):
    (fault,) = _faults("[" * depth + "]" * depth, format=text_format)
    assert fault.category == "too_large"


@pytest.mark.parametrize("text_format", ["yaml", "json"])
@pytest.mark.parametrize("filler", [" ", "é"])
def test_a_document_over_one_mebibyte_is_refused(text_format, filler):
    size = 1024 * 1024 // len(filler.encode()) + 1
    (fault,) = _faults(filler * size, format=text_format)
    assert fault.category == "too_large"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "null", "3", "text", "[]"])
def test_a_document_that_is_no_mapping_is_a_fault(text):
    (fault,) = _faults(text)
    assert (fault.path, fault.category, fault.expected) == ("", "wrong_type", "a mapping")


def test_json_and_yaml_give_the_same_configuration(four_groups):
    config = parse_config(four_groups)
    assert parse_config(json.dumps(dump_config(config)), format="json") == config


@pytest.mark.parametrize(
    ("text", "line"), [("", 1), ("{\n'a': 1}", 2), ('{"a": 1\n"b": 2}', 2), ('{"a": "\n"}', 1)]
)
def test_a_json_syntax_fault_has_its_line(text, line):
    (fault,) = _faults(text, format="json")
    assert (fault.category, fault.line) == ("syntax", line)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "9" * 5000])
def test_json_numbers_are_finite(number):
    assert [fault.category for fault in _faults(f"[{number}]", format="json")] == ["syntax"]


def test_duplicate_keys_in_json_are_faults_at_their_paths():
    text = '{"nodes": {"a": {"k": 1, "k": 2}, "a": {}}, "version": 1, "version": 1}'
    duplicates = [f.path for f in _faults(text, format="json") if f.category == "syntax"]
    assert duplicates == ["nodes.a.k", "nodes.a", "version"]


def test_carriage_returns_make_no_difference(four_groups):
    assert isinstance(parse_config(four_groups.replace("\n", "\r\n")), Config)
