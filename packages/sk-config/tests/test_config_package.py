"""The package as others meet it: what an import costs, and what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import sk_config

README = Path(__file__).parents[1] / "README.md"


def test_importing_the_package_imports_no_yaml_reader_and_no_sibling():
    program = (
        "import sys, sk_config\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(result.stdout.split())
    assert "yaml" not in loaded
    assert {name for name in loaded if name.startswith("sk_")} == {"sk_config"}
    assert not loaded & {"grpc", "msgspec", "opentelemetry", "multiprocessing", "asyncio"}


def _blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_configurations_of_the_readme_are_valid():
    assert len(_blocks("yaml")) == 2
    for block in _blocks("yaml"):
        environ = {"OTLP_TOKEN": "x"}
        assert isinstance(sk_config.parse_config(block, environ=environ), sk_config.Config)


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTLP_TOKEN", "hunter2")
    (example,) = _blocks("python")
    Path("run.yaml").write_text(_blocks("yaml")[-1], encoding="utf-8")
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 (our own text)
    assert names["config"].runtime.platform.process_groups[1].workers == 2
    assert names["secret_values"](names["config"]) == {"hunter2"}
