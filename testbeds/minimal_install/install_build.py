"""Building: each package's source distribution, and its wheel from nothing but that."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from install_environment import StepFailedError, call
from install_manifests import Manifest


@dataclass(frozen=True)
class Built:
    """The two files of one package."""

    sdist: Path
    wheel: Path


def build(manifests: Iterable[Manifest], target: Path, python: str) -> dict[str, Built]:
    """Build packages with the hatchling of an interpreter; those that ``target`` has are taken.

    :raises StepFailedError: when one cannot be built.
    """
    target.mkdir(parents=True, exist_ok=True)
    return {manifest.name: _built(manifest, target.resolve(), python) for manifest in manifests}


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack a source distribution into ``folder``; give the one folder that it holds."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


def without_sources(checkout: Path, built: Mapping[str, Built], name: str, folder: Path) -> Path:
    """Lay out a checkout that has one package's tests, the harness, and no package's source.

    What the tests need of the house comes along: pytest's settings, the plugins, the catalogue.
    Give the folder of the tests in it.
    """
    for part in ("conftest.py", "pyproject.toml", "docs/contracts.yaml"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(checkout / part, folder / part)
    plugins = folder / "testbeds" / "house"
    plugins.mkdir(parents=True)
    for plugin in (checkout / "testbeds" / "house").glob("*.py"):
        if not plugin.name.startswith("test_"):
            shutil.copy(plugin, plugins)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        package = folder / "packages" / name
        shutil.copytree(unpack(built[name].sdist, Path(scratch)), package)
    shutil.rmtree(package / "src")
    return package / "tests"


def _built(manifest: Manifest, target: Path, python: str) -> Built:
    stem = f"{manifest.module}-{manifest.version}"
    made = Built(target / f"{stem}.tar.gz", target / f"{stem}-py3-none-any.whl")
    hatchling = [python, "-m", "hatchling", "build", "--directory", str(target), "--target"]
    if not made.sdist.is_file():
        call([*hatchling, "sdist"], manifest.root)
    if not made.wheel.is_file():
        with tempfile.TemporaryDirectory(prefix="build-") as scratch:
            call([*hatchling, "wheel"], unpack(made.sdist, Path(scratch)))
    for path in (made.sdist, made.wheel):
        if not path.is_file():
            raise StepFailedError(f"{manifest.name}: no {path.name} was built")
    return made
