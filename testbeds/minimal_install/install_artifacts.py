"""What a built package holds: its metadata, typing marker and licence, and nothing foreign.

The rules of the metadata are those of `packaging.metadata` (PyPA: core metadata 2.4).
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from install_manifests import Manifest
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LICENCE = "LICENSE"
METADATA_VERSION = "2.4"
"""Newer ones are not understood by every index and installer yet, older ones have no licence."""

_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
#: A link of Markdown whose target is neither an address nor a place on the page.
_RELATIVE = re.compile(r"\[[^\]\n]*\]\((?!#|[a-z]+:)[^()\s]+\)")
_BESIDE_SOURCE = ("pyproject.toml", "README.md", "CHANGELOG.md", LICENCE, "PKG-INFO")


def wheel_faults(manifest: Manifest, wheel: Path) -> list[str]:
    """Say what is wrong with a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        notes = f"{manifest.module}-{manifest.version}.dist-info"
        licence = f"{notes}/licenses/{LICENCE}"
        text = archive.read(f"{notes}/METADATA") if f"{notes}/METADATA" in names else b""
        held = archive.read(licence) if licence in names else b""
    faults = [
        *_content_faults(manifest, names, notes),
        *metadata_faults(manifest, text),
    ]
    if held != (manifest.root / LICENCE).read_bytes():
        faults.append(f"the licence, {licence}, is not the package's own")
    return [f"{wheel.name}: {fault}" for fault in faults]


def sdist_faults(manifest: Manifest, sdist: Path) -> list[str]:
    """Say what is wrong with a source distribution."""
    top = f"{manifest.module}-{manifest.version}"
    with tarfile.open(sdist) as archive:
        names = {member.name for member in archive.getmembers()}
        notes = f"{top}/PKG-INFO"
        member = archive.extractfile(notes) if notes in names else None
        text = member.read() if member else b""
    source = [f"{part}/{name}" for part in ("src", "tests") for name in _files(manifest, part)]
    missing = sorted(f"{top}/{name}" for name in [*_BESIDE_SOURCE, *source])
    faults = [
        *(f"{name} is missing" for name in missing if name not in names),
        *(f"{name} lies outside {top}" for name in names if not _is_inside(name, top)),
        *metadata_faults(manifest, text),
    ]
    return [f"{sdist.name}: {fault}" for fault in faults]


def metadata_faults(manifest: Manifest, text: bytes) -> Iterator[str]:
    """Say what is wrong with a package's core metadata, compared with its manifest and source."""
    try:
        found = Metadata.from_email(text, validate=True)
    except ExceptionGroup as group:
        yield from (f"metadata: {error}" for error in group.exceptions)
        return
    project = manifest.table["project"]
    expected = {
        "metadata_version": METADATA_VERSION,
        "name": manifest.name,
        "version": manifest.version,
        "summary": project["description"],
        "requires_python": project["requires-python"],
        "license_expression": project["license"],
        "license_files": [LICENCE],
        "description_content_type": "text/markdown",
        "description": (manifest.root / "README.md").read_text("utf-8"),
        "provides_extra": sorted(manifest.extras),
        "classifiers": project["classifiers"],
    }
    for field, value in expected.items():
        said = getattr(found, field)
        if (str(said) if field == "requires_python" else said or []) != value:
            yield f"metadata: {field} is not what the manifest says"
    for link in _RELATIVE.findall(_CODE.sub("", found.description or "")):
        yield f"metadata: description: the link {link} leads nowhere outside of the repository"
    declared = {_normal(r) for r in declared_requirements(manifest)}
    if {_normal(requirement) for requirement in found.requires_dist or []} != declared:
        yield "metadata: requires_dist is not what the manifest says"


def declared_requirements(manifest: Manifest) -> Iterator[Requirement]:
    """Everything that a manifest says its package requires, extras with their markers."""
    project = manifest.table["project"]
    yield from (Requirement(line) for line in project.get("dependencies", []))
    for extra, lines in manifest.extras.items():
        yield from (Requirement(f"{line} ; extra == {extra!r}") for line in lines)


def _is_inside(name: str, top: str) -> bool:
    parts = PurePosixPath(name).parts
    return parts[0] == top and ".." not in parts


def _files(manifest: Manifest, part: str) -> Iterator[str]:
    """What a folder of a package holds, without the caches that tools leave."""
    for path in (manifest.root / part).rglob("*"):
        name = path.relative_to(manifest.root / part)
        hidden = any(folder.startswith(".") or folder == "__pycache__" for folder in name.parts)
        if path.is_file() and not hidden:
            yield name.as_posix()


def _normal(requirement: Requirement) -> tuple[str, ...]:
    name, extras = canonicalize_name(requirement.name), sorted(requirement.extras)
    return (name, *extras, str(requirement.specifier), str(requirement.marker or ""))


def _content_faults(manifest: Manifest, names: Sequence[str], notes: str) -> Iterator[str]:
    expected = set(_files(manifest, "src"))
    held = {name for name in names if not name.startswith(f"{notes}/")}
    yield from (f"{name} is missing" for name in sorted(expected - held))
    yield from (f"{name} does not belong there" for name in sorted(held - expected))
    if f"{manifest.module}/py.typed" not in held:
        yield "no typing marker"
