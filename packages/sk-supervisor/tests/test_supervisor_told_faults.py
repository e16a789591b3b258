"""What is said of a configuration that cannot run, or may not mean what it says."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sk_config import Config, build_config, load_config
from sk_supervisor import RunRefusedError, prepare
from sk_supervisor._run.summary import refusal
from sk_supervisor.cli import _heed_static_secrets, main
from supervisor_harness import settings

STATIC = {"secret_mode": "static", "secret": "sixteen bytes, or more"}


def refused(config: Config) -> str:
    with pytest.raises(RunRefusedError) as caught:
        prepare(config)
    return refusal(caught.value, config)


def test_what_can_be_checked_without_a_graph_is_checked_with_the_rest(target: Path) -> None:
    mapping = settings(target)
    mapping["adapters"]["source"]["name"] = "nums"
    mapping["runtime"]["platform"]["process_groups"][1]["nodes"] = ["wrk"]
    mapping["runtime"]["failure"] = {
        "default": {"policy": "dead_letter"},
        "dead_letter": {"path": str(target / "nowhere" / "letters")},
    }
    mapping["runtime"]["observability"] = {"tracing": {"exporters": [{"kind": "json"}]}}
    said = refused(build_config(mapping))
    for path in (
        "adapters.source.name: unknown_adapter",
        "runtime.platform.process_groups[1].nodes[0]: unknown_node",
        "runtime.failure.dead_letter.path: bad_value",
        "runtime.observability.tracing.exporters[0].kind: unavailable",
    ):
        assert path in said
    assert "(did you mean work?); got wrk" in said


def test_modules_that_cannot_be_imported_hide_no_other_fault(target: Path) -> None:
    mapping = settings(target)
    mapping["runtime"]["discovery_modules"] = ["there_is_no_such_module"]
    mapping["runtime"]["observability"] = {"tracing": {"exporters": [{"kind": "json"}]}}
    said = refused(build_config(mapping))
    assert "there_is_no_such_module" in said
    assert "exporters[0].kind: unavailable" in said


def test_a_fault_of_an_application_is_told_with_file_and_line(target: Path, tmp_path: Path) -> None:
    mapping = settings(target)
    mapping["nodes"] = {"wrok": {}}
    file = tmp_path / "a.yaml"
    file.write_text(json.dumps(mapping, indent=1))
    lines = file.read_text().splitlines()
    line = 1 + next(n for n, text in enumerate(lines) if "wrok" in text)
    said = refused(load_config(file))
    assert said.startswith("error: nodes.wrok: unknown_node: ")
    assert said.endswith(f"(did you mean work?) ({file}, line {line})")


def test_a_module_that_lies_beside_its_configuration_is_pointed_at(
    target: Path, tmp_path: Path
) -> None:
    mapping = settings(target)
    mapping["runtime"]["discovery_modules"] = ["lies_beside"]
    (tmp_path / "lies_beside.py").write_text("")
    file = tmp_path / "a.json"
    file.write_text(json.dumps(mapping))
    assert f"(it lies beside the configuration: run sk in {tmp_path}" in refused(load_config(file))
    assert "beside the configuration" not in refused(build_config(mapping))


def test_check_warns_of_a_secret_in_clear_text(target: Path, tmp_path: Path) -> None:
    mapping: dict[str, Any] = settings(target)
    mapping["runtime"]["platform"]["execution_ipc"]["auth"] = STATIC
    file = tmp_path / "a.json"
    file.write_text(json.dumps(mapping))
    done = CliRunner().invoke(main, ["check", str(file)])
    assert (done.exit_code, done.stdout[:3]) == (0, "ok:")
    assert done.stderr.startswith(
        "warning: runtime.platform.execution_ipc.auth.secret: a secret in"
    )
    assert STATIC["secret"] not in done.output


def test_a_static_secret_is_one_plain_line_of_a_run_and_none_of_a_quiet_one(
    target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping: dict[str, Any] = settings(target)
    mapping["runtime"]["platform"]["execution_ipc"]["control"]["auth"] = STATIC
    config = build_config(mapping)
    with warnings.catch_warnings(record=True) as caught:
        _heed_static_secrets(config, quiet=True)
        assert capsys.readouterr().err == ""
        _heed_static_secrets(config, quiet=False)
        warnings.warn("a static transport secret is in use", UserWarning, stacklevel=1)
    assert caught == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: a static secret is in use")
