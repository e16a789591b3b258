"""What must be so before a package is released: pure rules over what the checkout says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from install_manifests import Manifest, lowest
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_TAG = re.compile(r"(?P<name>[a-z][a-z0-9-]*)-v(?P<version>[0-9][^/\s]*)")
_HEADING = re.compile(r"^## (?P<version>\S+)(?: \((?P<when>[^)]*)\))?[ \t]*$", re.MULTILINE)
UNRELEASED = "unreleased"


class ReleaseRefusedError(Exception):
    """A tag that names no release of any package here; its text says why."""


@dataclass(frozen=True)
class Entry:
    """One version in a changelog."""

    version: str
    when: str
    """Its date as written, or ``unreleased``."""
    text: str

    @property
    def released(self) -> date | None:
        """When it was released; None when it was not, or does not say so properly."""
        try:
            return date.fromisoformat(self.when)
        except ValueError:
            return None


def parse_tag(tag: str, manifests: Mapping[str, Manifest]) -> tuple[Manifest, Version]:
    """The package and the version that a tag such as ``sk-kernel-v1.2.0`` names.

    :raises ReleaseRefusedError: when it names none.
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        raise ReleaseRefusedError(f"{tag!r} is not of the form PACKAGE-vVERSION")
    if found["name"] not in manifests:
        raise ReleaseRefusedError(f"{tag!r} names no package: there are {', '.join(manifests)}")
    try:
        version = Version(found["version"])
    except InvalidVersion as error:
        raise ReleaseRefusedError(f"{tag!r} has no version that PEP 440 knows") from error
    if str(version) != found["version"]:
        raise ReleaseRefusedError(f"{tag!r}: the version is written {version}")
    if version.local or version.is_devrelease:
        raise ReleaseRefusedError(f"{tag!r}: {version} is no version for the public")
    return manifests[found["name"]], version


def read_changelog(text: str) -> list[Entry]:
    """The entries of a changelog, as they stand: the newest first."""
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)][: len(headings)]
    return [
        Entry(heading["version"], heading["when"] or "", text[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    ]


def changelog_faults(manifest: Manifest, entries: list[Entry], *, tagged: bool) -> list[str]:
    """Say where a changelog disagrees with the version; a tagged one must have its date."""
    if not entries or entries[0].version != str(manifest.version):
        first = entries[0].version if entries else "none"
        return [f"the changelog begins with {first}, and the source is {manifest.version}"]
    newest, faults = entries[0], []
    if not newest.text:
        faults.append(f"the changelog says nothing of {newest.version}")
    if newest.released is None and (tagged or newest.when != UNRELEASED):
        faults.append(f"the changelog gives no date (YYYY-MM-DD) for {newest.version}")
    faults += [
        f"the changelog gives no date for {entry.version}, which is not the newest"
        for entry in entries[1:]
        if entry.released is None
    ]
    try:
        versions = [Version(entry.version) for entry in entries]
    except InvalidVersion as error:
        return [*faults, f"the changelog: {error}"]
    if versions != sorted(set(versions), reverse=True):
        faults.append("the versions of the changelog do not fall")
    return faults


def tag_faults(manifest: Manifest, tagged: Version) -> list[str]:
    """Say whether the tag and the source disagree."""
    if tagged == manifest.version:
        return []
    return [f"the tag says {tagged}, and the source {manifest.version}"]


def sibling_faults(manifest: Manifest, manifests: Mapping[str, Manifest]) -> list[str]:
    """Say which siblings a package requires in a range that leaves out what they are now."""
    return [
        f"requires {requirement}, and {requirement.name} is {manifests[requirement.name].version}"
        for requirement in manifest.requirements(manifest.extras)
        if requirement.name in manifests
        and not requirement.specifier.contains(
            manifests[requirement.name].version, prereleases=True
        )
    ]


def order_faults(
    manifest: Manifest,
    manifests: Mapping[str, Manifest],
    changelogs: Mapping[str, list[Entry]],
) -> list[str]:
    """Say which siblings must be released before: the lowest versions allowed must be out.

    Who installs a package that was just released gets its siblings from the index, too.
    """
    faults = []
    for requirement in manifest.requirements(manifest.extras):
        name, bound = str(canonicalize_name(requirement.name)), lowest(requirement)
        if name not in manifests or name == manifest.name:
            continue
        out = [Version(entry.version) for entry in changelogs[name] if entry.released]
        if bound not in out:
            faults.append(f"requires {requirement}, and {name} {bound} is not released")
    return faults
