"""Make the testbed's programs importable by their names, and packages out of a few lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from install_manifests import Manifest

MANIFEST = """
[build-system]
requires = ["hatchling>=1.27"]

[project]
name = "{name}"
dynamic = ["version"]
description = "A package"
readme = "README.md"
license = "Apache-2.0"
license-files = ["LICENSE"]
requires-python = ">=3.11"
classifiers = ["Typing :: Typed"]
dependencies = {requires}

[project.optional-dependencies]
extra = {extra}

[dependency-groups]
test = ["pytest>=8.4"]
"""


@pytest.fixture
def package(tmp_path: Path) -> Callable[..., Manifest]:
    """Makes a package under ``packages/`` with what it requires, and a version."""

    def make(
        name: str, *requires: str, version: str = "1.0.0", extra: tuple[str, ...] = ()
    ) -> Manifest:
        root = tmp_path / "packages" / name
        source = root / "src" / name.replace("-", "_")
        source.mkdir(parents=True)
        (source / "__init__.py").write_text(f'__version__ = "{version}"\n')
        (source / "py.typed").touch()
        (root / "tests").mkdir()
        (root / "tests" / "test_it.py").touch()
        (root / "LICENSE").write_text("the licence\n")
        (root / "README.md").write_text(f"# {name}\n")
        (root / "CHANGELOG.md").write_text(f"# Changes\n\n## {version} (unreleased)\n\n- All.\n")
        manifest = MANIFEST.format(name=name, requires=[*requires], extra=[*extra])
        (root / "pyproject.toml").write_text(manifest)
        return Manifest(root)

    return make
