"""`load_config`: files that are there, and those that are not."""

from __future__ import annotations

import pytest
from sk_config import ConfigError, dump_config, load_config, parse_config


def _fault(path):
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.origin == str(path) or not str(path).isprintable()
    (fault,) = caught.value.faults
    return fault


def test_a_yaml_file_gives_the_configuration_of_its_text(tmp_path, four_groups):
    path = tmp_path / "run.yaml"
    path.write_text(four_groups, encoding="utf-8")
    assert load_config(path) == load_config(str(path)) == parse_config(four_groups)


def test_a_file_named_json_is_read_as_json(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("version: 1", encoding="utf-8")
    assert _fault(path).expected == "valid JSON"


@pytest.mark.parametrize("name", ["run.yaml", "run.json"])
def test_a_byte_order_mark_is_no_fault(tmp_path, name):
    text = '{"version": 1, "scenario": "é", "runtime": {"discovery_modules": ["app"]}}'
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert dump_config(load_config(tmp_path / name))["scenario"] == {"name": "é"}


def test_overrides_apply_to_a_file(tmp_path, four_groups):
    path = tmp_path / "run.yaml"
    path.write_text(four_groups, encoding="utf-8")
    config = load_config(path, ["runtime.platform.process_groups[1].workers=3"])
    assert config.runtime.platform.process_groups[1].workers == 3


def test_a_missing_file_is_a_fault(tmp_path):
    path = tmp_path / "none.yaml"
    fault = _fault(path)
    assert (fault.path, fault.category) == ("", "unreadable")
    assert fault.got == f"{str(path)!r}: No such file or directory"


def test_a_directory_is_a_fault(tmp_path):
    assert _fault(tmp_path).category == "unreadable"


def test_a_name_with_a_nul_is_a_fault():
    assert _fault("run\0.yaml").category == "unreadable"


def test_invalid_utf_8_is_a_fault_with_its_line(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_bytes(b"version: 1\nscenario: \xff\n")
    fault = _fault(path)
    assert (fault.category, fault.expected, fault.line) == ("unreadable", "UTF-8 text", 2)


def test_a_file_over_one_mebibyte_is_refused(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_bytes(b" " * (1024 * 1024 + 1))
    assert _fault(path).category == "too_large"
