"""Check without any network that packages can be released as they stand.

    python testbeds/minimal_install/run_release_check.py [TAG ...] [--distributions dist]

A tag is `sk-kernel-v1.2.0`. Without one, every package is looked at, and its changelog may still
say `unreleased`. What is built is left in the folder of distributions, and beside it, for each tag,
`<tag>.md`: the release's notes, from the changelog. Exit 0 when nothing is in the way, 1 when
something is, 2 when it could not be looked at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from install_artifacts import sdist_faults, wheel_faults
from install_build import build
from install_environment import StepFailedError
from install_manifests import Manifest, ManifestError, read_manifests
from packaging.version import Version
from release_rules import (
    Entry,
    ReleaseRefusedError,
    changelog_faults,
    order_faults,
    parse_tag,
    read_changelog,
    sibling_faults,
    tag_faults,
)

CHECKOUT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    parser = argparse.ArgumentParser(description="Whether packages can be released.")
    parser.add_argument("tags", nargs="*", metavar="TAG", help="such as sk-kernel-v1.2.0")
    parser.add_argument("--distributions", type=Path, default=Path("dist"))
    options = parser.parse_args(arguments)
    manifests = read_manifests(CHECKOUT)
    try:
        tagged = {tag: parse_tag(tag, manifests) for tag in options.tags}
        changelogs = {name: _changelog(manifest) for name, manifest in manifests.items()}
        faults = [
            f"{manifest.name}: {fault}"
            for manifest, version in tagged.values() or [(m, None) for m in manifests.values()]
            for fault in [
                *_said_faults(manifest, version, manifests, changelogs),
                *_built_faults(manifest, options.distributions),
            ]
        ]
        for tag, (manifest, _) in tagged.items():
            notes = changelogs[manifest.name][0].text if changelogs[manifest.name] else ""
            (options.distributions / f"{tag}.md").write_text(notes + "\n", "utf-8")
    except ReleaseRefusedError as refusal:
        faults = [str(refusal)]
    except (ManifestError, StepFailedError, OSError) as error:
        sys.stderr.write(f"release-check: {error}\n")
        return 2
    sys.stdout.write("\n".join([*faults, "refused" if faults else "ready", ""]))
    return 1 if faults else 0


def _changelog(manifest: Manifest) -> list[Entry]:
    return read_changelog((manifest.root / "CHANGELOG.md").read_text("utf-8"))


def _said_faults(
    manifest: Manifest,
    version: Version | None,
    manifests: dict[str, Manifest],
    changelogs: dict[str, list[Entry]],
) -> list[str]:
    """What the files of the checkout say against a release."""
    faults = changelog_faults(manifest, changelogs[manifest.name], tagged=version is not None)
    faults += sibling_faults(manifest, manifests)
    for other in manifests.values():
        if other is not manifest:
            faults += [
                f"{other.name} {fault}"
                for fault in sibling_faults(other, {manifest.name: manifest})
            ]
    if version is not None:
        faults += tag_faults(manifest, version)
        faults += order_faults(manifest, manifests, changelogs)
    return faults


def _built_faults(manifest: Manifest, target: Path) -> list[str]:
    """Build the package twice; say what is wrong with it, or different the second time."""
    for stale in target.glob(f"{manifest.module}-{manifest.version}[.-]*"):
        stale.unlink()
    built = build([manifest], target, sys.executable)[manifest.name]
    faults = sdist_faults(manifest, built.sdist) + wheel_faults(manifest, built.wheel)
    with tempfile.TemporaryDirectory(prefix="again-") as folder:
        again = build([manifest], Path(folder), sys.executable)[manifest.name]
        for first, second in ((built.sdist, again.sdist), (built.wheel, again.wheel)):
            if first.read_bytes() != second.read_bytes():
                faults.append(f"{first.name} is different when it is built again")
    return faults


if __name__ == "__main__":
    sys.exit(main())
