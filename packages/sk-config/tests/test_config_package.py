"""The package as others meet it: what an import costs, and what the README says."""

from __future__ import annotations

import inspect
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


def test_every_public_name_is_there_and_documented():
    for name in sk_config.__all__:
        public = getattr(sk_config, name)
        if inspect.isclass(public) or inspect.isfunction(public):
            assert inspect.getdoc(public), name


def test_the_configurations_of_the_readme_are_valid():
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        environ = {"OTLP_TOKEN": "x"}
        assert isinstance(sk_config.parse_config(block, environ=environ), sk_config.Config)
