"""Who may import whom, over all packages, their tests and the testbeds: read, never run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from source_tree import (
    BY_MODULE,
    PACKAGES,
    ROOT,
    Import,
    Package,
    expect_none,
    imports_of,
    python_files,
    where,
)

LAYERS = (
    {"sk_fundload"},
    {"sk_supervisor"},
    {"sk_observability", "sk_control"},
    {"sk_transport"},
    {"sk_config"},
    {"sk_kernel"},
)
"""From the top down. A package may import those of lower layers, and no neighbour."""

PLUGINS = {path.stem for path in (ROOT / "testbeds" / "house").glob("*.py")}
"""What all tests may import: the house's own."""

DEPTH = {module: depth for depth, layer in enumerate(LAYERS) for module in layer}

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
each_testbed = pytest.mark.parametrize(
    "testbed", sorted(p for p in (ROOT / "testbeds").iterdir() if p.is_dir()), ids=lambda p: p.name
)


def test_every_package_has_its_place_in_the_layers() -> None:
    assert set(DEPTH) == set(BY_MODULE)


@each_package
def test_a_package_imports_only_from_the_layers_below(package: Package) -> None:
    expect_none(upward(package, package.sources()))


@each_package
def test_a_package_tests_itself_only_with_what_is_below(package: Package) -> None:
    expect_none(upward(package, package.tests()))


@each_package
def test_a_package_uses_only_the_public_face_of_another(package: Package) -> None:
    expect_none(private(package.sources(), own=package.module))


@each_package
def test_the_tests_of_a_package_use_only_the_public_face_of_another(package: Package) -> None:
    expect_none(private(package.tests(), own=package.module))


@each_testbed
def test_a_testbed_uses_only_public_faces(testbed: Path) -> None:
    expect_none(private(python_files(testbed), own=None))


@each_package
def test_a_package_imports_only_what_its_manifest_declares(package: Package) -> None:
    expect_none(undeclared(package.sources(), {package.module}, package.requirements))


@each_package
def test_the_tests_of_a_package_import_only_what_it_or_its_test_group_declares(
    package: Package,
) -> None:
    helpers = {part for path in package.tests() for part in (path.stem, path.parent.name)}
    wanted = [*package.requirements, *package.test_requirements]
    expect_none(undeclared(package.tests(), {package.module, *helpers}, wanted))


def undeclared(files: list[Path], own: set[str], wanted: list[Requirement]) -> list[str]:
    """The imports that are neither of the standard library, nor own, nor of what is wanted."""
    declared = {canonicalize_name(requirement.name) for requirement in wanted}
    providers = all_providers()
    return [
        f"{where(path, found.line)} imports {found.module}, which no dependency declares"
        for path in files
        for found in imports_of(path)
        if found.top not in {*sys.stdlib_module_names, *own, *PLUGINS}
        and not declared & distributions_of(found.top, providers)
    ]


@cache
def all_providers() -> Mapping[str, list[str]]:
    """The distributions that each top-level module comes from; to find them takes its time."""
    return packages_distributions()


def upward(package: Package, files: list[Path]) -> list[str]:
    """The imports that point from ``package`` to a neighbour or upwards."""
    return [
        f"{where(path, found.line)}: {package.module} must not import {found.module}"
        for path in files
        for found in imports_of(path)
        if found.top in DEPTH
        and found.top != package.module
        and DEPTH[found.top] <= DEPTH[package.module]
    ]


def private(files: list[Path], own: str | None) -> list[str]:
    """The imports of parts of a package, other than ``own``, that it does not offer."""
    return [
        f"{where(path, found.line)}: {fault}"
        for path in files
        for found in imports_of(path)
        if found.top in BY_MODULE and found.top != own
        for fault in private_parts(found)
    ]


def private_parts(found: Import) -> Iterator[str]:
    """Say what of ``found`` is not part of a package's public face.

    That face is the package itself, its ``testing``, and the submodules that its README names.
    """
    parts = found.module.split(".")
    if any(part.startswith("_") for part in parts):
        yield f"{found.module} is private"
    elif found.name is not None and found.name.startswith("_") and not found.name.endswith("__"):
        yield f"{found.module}.{found.name} is private"
    elif len(parts) > 1 and parts[1] != "testing":
        readme = (BY_MODULE[found.top].root / "README.md").read_text("utf-8")
        if f"{parts[0]}.{parts[1]}" not in readme:
            yield f"{found.module} is not named in the README of {BY_MODULE[found.top].name}"


def distributions_of(module: str, providers: Mapping[str, list[str]]) -> set[str]:
    """The distributions that a top-level import may come from, by their normalised names."""
    if module in BY_MODULE:
        return {BY_MODULE[module].name}
    return {str(canonicalize_name(name)) for name in providers.get(module, [])}


def test_the_rules_see_an_import_at_any_depth_and_of_any_form(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text(
        "def late():\n"
        "    from sk_transport import _frame\n"
        "    import sk_transport._channel as channel\n"
        "    return importlib.import_module('sk_transport._replay')\n"
    )
    found = [fault for found in imports_of(sample) for fault in private_parts(found)]
    assert [fault.split()[0] for fault in found] == [
        "sk_transport._frame",
        "sk_transport._channel",
        "sk_transport._replay",
    ]


def test_the_rules_let_a_public_face_pass(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("from sk_kernel import Envelope, __version__\nimport sk_kernel.testing\n")
    assert [fault for found in imports_of(sample) for fault in private_parts(found)] == []
