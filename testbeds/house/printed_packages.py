"""Which package needs which, as their manifests say."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.requirements import Requirement
from printed_rooms import from_the_top
from source_tree import BY_MODULE, Package


def package_diagram() -> str:
    """A Mermaid flowchart, each package above those that it needs; a dotted arrow is an extra."""
    needs = {name: _needed_by(package) for name, package in BY_MODULE.items()}
    packages = [BY_MODULE[name] for name in from_the_top(needs)]
    lines = ["```mermaid", "flowchart TD"]
    lines += [f"    {package.module}[{package.name}]" for package in packages]
    lines += [line for package in packages for line in _arrows(package)]
    return "\n".join([*lines, "```"])


def _needed_by(package: Package) -> set[str]:
    return set(_siblings(package, [str(needed) for needed in package.requirements]))


def _arrows(package: Package) -> Iterator[str]:
    """One arrow for each sibling: if it is needed anyway, no extra is named."""
    project = package.project
    plain = _siblings(package, project.get("dependencies", []))
    for sibling in plain:
        yield f"    {package.module} --> {sibling}"
    extras: dict[str, list[str]] = {}
    for extra, lines in project.get("optional-dependencies", {}).items():
        for sibling in _siblings(package, lines):
            if sibling not in plain and extra not in extras.setdefault(sibling, []):
                extras[sibling].append(extra)
    for sibling, names in extras.items():
        word = "extra" if len(names) == 1 else "extras"
        yield f"    {package.module} -. {word} {', '.join(names)} .-> {sibling}"


def _siblings(package: Package, lines: list[str]) -> list[str]:
    names = [Requirement(line).name.replace("-", "_") for line in lines]
    return sorted({name for name in names if name in BY_MODULE and name != package.module})
