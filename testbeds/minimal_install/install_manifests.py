"""The packages' manifests as data, and the lowest versions that they allow."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


class ManifestError(Exception):
    """A manifest does not say what it must; its text says which, and what."""


@dataclass(frozen=True)
class Manifest:
    """What one package says of itself."""

    root: Path

    @property
    def name(self) -> str:
        """The name of the distribution, which is the folder's."""
        return self.root.name

    @property
    def module(self) -> str:
        """The name that is imported."""
        return self.name.replace("-", "_")

    @cached_property
    def table(self) -> dict[str, Any]:
        """The whole manifest."""
        return tomllib.loads((self.root / "pyproject.toml").read_text("utf-8"))

    @cached_property
    def version(self) -> Version:
        """The version that the source bears."""
        path = self.root / "src" / self.module / "__init__.py"
        found = _VERSION.search(path.read_text("utf-8"))
        if found is None:
            raise ManifestError(f"{path} has no line __version__ = ...")
        return Version(found.group(1))

    @property
    def extras(self) -> dict[str, list[str]]:
        """The optional dependencies."""
        extras: dict[str, list[str]] = self.table["project"].get("optional-dependencies", {})
        return extras

    def requirements(self, extras: Iterable[str] = ()) -> list[Requirement]:
        """What is installed with the package and the named extras, as the manifest says."""
        lines = list(self.table["project"].get("dependencies", []))
        for extra in extras:
            lines += self.extras[extra]
        return [Requirement(line) for line in lines]

    @property
    def test_requirements(self) -> list[Requirement]:
        """What the package's own tests need beside it: its dependency group ``test``."""
        return group(self.table, "test")

    @property
    def build_requirements(self) -> list[Requirement]:
        """What builds the package."""
        return [Requirement(line) for line in self.table["build-system"]["requires"]]


def read_manifests(root: Path) -> dict[str, Manifest]:
    """All packages of the checkout at ``root``, by name."""
    paths = sorted(root.glob("packages/*/pyproject.toml"))
    return {path.parent.name: Manifest(path.parent) for path in paths}


def group(table: Mapping[str, Any], name: str) -> list[Requirement]:
    """A dependency group's own requirements, without those of the groups that it includes."""
    return [Requirement(line) for line in table["dependency-groups"][name] if isinstance(line, str)]


def reached(wanted: Iterable[Requirement], manifests: Mapping[str, Manifest]) -> list[Requirement]:
    """``wanted`` and, through siblings and their extras, all that these say in their manifests."""
    found: list[Requirement] = []
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = list(wanted)
    while todo:
        requirement = todo.pop(0)
        name, extras = str(canonicalize_name(requirement.name)), frozenset(requirement.extras)
        found.append(requirement)
        if name in manifests and (name, extras) not in seen:
            seen.add((name, extras))
            todo += manifests[name].requirements(sorted(extras))
    return found


def lowest(requirement: Requirement) -> Version | None:
    """The lowest version that a requirement names; None when it names none."""
    bounds = [
        Version(clause.version)
        for clause in requirement.specifier
        if clause.operator in {">=", "~=", "=="}
    ]
    return max(bounds, default=None)


def lowest_pins(requirements: Iterable[Requirement]) -> dict[str, Version]:
    """The lowest versions that satisfy all of the requirements at once, by name."""
    pins: dict[str, Version] = {}
    for requirement in requirements:
        bound, name = lowest(requirement), str(canonicalize_name(requirement.name))
        if bound is not None:
            pins[name] = max(bound, pins.get(name, bound))
    return pins


def constraints(
    pins: Mapping[str, Version], manifests: Mapping[str, Manifest], wheels: Mapping[str, Path]
) -> list[str]:
    """The lines of a constraints file: siblings as they stand in the checkout, the rest as pinned.

    A sibling that is pinned to an older version than the checkout's was released: it comes from
    the index. Every other one is its freshly built wheel, whatever an index may hold.
    """
    lines = []
    for name, manifest in manifests.items():
        if pins.get(name, manifest.version) == manifest.version:
            lines.append(f"{name} @ {wheels[name].as_uri()}")
    named = {line.split(" ")[0] for line in lines}
    return lines + [f"{name}=={pin}" for name, pin in sorted(pins.items()) if name not in named]
