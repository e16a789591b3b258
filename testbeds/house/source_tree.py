"""The monorepo as data: its packages, their manifests, and the imports of any file."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]

GENERATED = "_pb"
"""The name of folders whose code is generated, and held to no rule of style."""


class Import(NamedTuple):
    """One imported name: ``from module import name``, or ``import module`` (name is None)."""

    module: str
    name: str | None
    line: int

    @property
    def top(self) -> str:
        """The top-level module."""
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class Package:
    """One package of the monorepo."""

    root: Path

    @property
    def name(self) -> str:
        """The name of the distribution, which is the folder's."""
        return self.root.name

    @property
    def module(self) -> str:
        """The name that is imported."""
        return self.name.replace("-", "_")

    @property
    def source(self) -> Path:
        """The folder of the importable package."""
        return self.root / "src" / self.module

    @property
    def manifest(self) -> dict[str, Any]:
        """The whole manifest."""
        return tomllib.loads((self.root / "pyproject.toml").read_text("utf-8"))

    @property
    def project(self) -> dict[str, Any]:
        """The ``[project]`` table of the manifest."""
        table: dict[str, Any] = self.manifest["project"]
        return table

    @property
    def requirements(self) -> list[Requirement]:
        """What the package depends on, its extras included."""
        extras = self.project.get("optional-dependencies", {}).values()
        groups = [self.project.get("dependencies", []), *extras]
        return [Requirement(line) for group in groups for line in group]

    @property
    def test_requirements(self) -> list[Requirement]:
        """What the package's own tests need beside it: its dependency group ``test``."""
        return [Requirement(line) for line in self.manifest["dependency-groups"]["test"]]

    @property
    def version(self) -> str:
        """The value of ``__version__``, read and not run."""
        for node in parse(self.source / "__init__.py").body:
            match node:
                case ast.Assign(targets=[ast.Name("__version__")], value=ast.Constant(str(value))):
                    return value
        raise LookupError(f"{self.module} has no literal __version__")

    def sources(self) -> list[Path]:
        """The package's own modules, without what is generated."""
        return python_files(self.source)

    def tests(self) -> list[Path]:
        """The modules of the package's tests."""
        return python_files(self.root / "tests")


def python_files(folder: Path) -> list[Path]:
    """The Python files under ``folder`` that people wrote."""
    return sorted(path for path in folder.rglob("*.py") if GENERATED not in path.parts)


def files_of_testbeds() -> list[Path]:
    """The Python files of all testbeds."""
    return python_files(ROOT / "testbeds")


@cache
def parse(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def docstring_of(path: Path) -> str:
    """The docstring of a file; empty where it has none."""
    return ast.get_docstring(parse(path)) or ""


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Every import of a file at any depth, for types too, and ``import_module`` of a literal."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[Import]:
    for node in ast.walk(parse(path)):
        match node:
            case ast.Import(names=names):
                yield from (Import(alias.name, None, node.lineno) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = absolute(path, module, level)
                yield from (Import(base, alias.name, node.lineno) for alias in names)
            case ast.Call(
                func=ast.Name("import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(str(module)), *_],
            ):
                yield Import(module, None, node.lineno)


def absolute(path: Path, module: str | None, level: int) -> str:
    """The absolute name of ``from <level dots><module>`` in the file at ``path``."""
    if level == 0:
        return module or ""
    inside = path.relative_to(ROOT).parts
    if "src" in inside:
        inside = inside[inside.index("src") + 1 :]
    return ".".join([*inside[: len(inside) - level], *([module] if module else [])])


def where(path: Path, line: int) -> str:
    """A place for a message."""
    return f"{path.relative_to(ROOT)}:{line}"


def expect_none(faults: Iterable[str]) -> None:
    """Fail the test with one line for each fault, if there is any."""
    found = list(faults)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


PACKAGES = [Package(path.parent) for path in sorted(ROOT.glob("packages/*/pyproject.toml"))]
BY_MODULE = {package.module: package for package in PACKAGES}
