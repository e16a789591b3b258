"""What is refused in a wheel and in a source distribution: each made by hand, whole but for one."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from install_artifacts import sdist_faults, wheel_faults
from install_manifests import Manifest

Make = Callable[..., Manifest]
METADATA = """Metadata-Version: 2.4
Name: sk-one
Version: 1.0.0
Summary: A package
License-Expression: Apache-2.0
License-File: LICENSE
Classifier: Typing :: Typed
Requires-Python: >=3.11
Requires-Dist: alpha>=1
Provides-Extra: extra
Requires-Dist: beta>=2; extra == 'extra'
Description-Content-Type: text/markdown

# sk-one
"""
WHEEL = {
    "sk_one/__init__.py": '__version__ = "1.0.0"\n',
    "sk_one/py.typed": "",
    "sk_one-1.0.0.dist-info/METADATA": METADATA,
    "sk_one-1.0.0.dist-info/licenses/LICENSE": "the licence\n",
}
SDIST = {
    **dict.fromkeys(["pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"], ""),
    "PKG-INFO": METADATA,
    "src/sk_one/__init__.py": "",
    "src/sk_one/py.typed": "",
    "tests/test_it.py": "",
}


@pytest.fixture
def one(package: Make) -> Manifest:
    return package("sk-one", "alpha>=1", extra=("beta>=2",))


@pytest.fixture
def faults_of_wheel(one: Manifest, tmp_path: Path) -> Callable[[Mapping[str, str | None]], str]:
    def find(changes: Mapping[str, str | None]) -> str:
        path = tmp_path / "one.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in {**WHEEL, **changes}.items():
                if text is not None:
                    archive.writestr(name, text)
        return "\n".join(wheel_faults(one, path))

    return find


@pytest.fixture
def faults_of_sdist(one: Manifest, tmp_path: Path) -> Callable[[Mapping[str, str | None]], str]:
    def find(changes: Mapping[str, str | None]) -> str:
        path = tmp_path / "one.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name, text in {**SDIST, **changes}.items():
                if text is not None:
                    member = tarfile.TarInfo(f"sk_one-1.0.0/{name}")
                    member.size = len(text)
                    archive.addfile(member, io.BytesIO(text.encode()))
        return "\n".join(sdist_faults(one, path))

    return find


def test_a_whole_wheel_is_accepted(faults_of_wheel: Callable[..., str]) -> None:
    assert faults_of_wheel({}) == ""


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("sk_one/py.typed", None, "no typing marker"),
        ("sk_one/__init__.py", None, "sk_one/__init__.py is missing"),
        ("tests/test_it.py", "", "tests/test_it.py does not belong there"),
        ("sk_one-1.0.0.dist-info/licenses/LICENSE", None, "the licence"),
        ("sk_one-1.0.0.dist-info/licenses/LICENSE", "another\n", "the licence"),
        ("sk_one-1.0.0.dist-info/METADATA", None, "metadata: "),
    ],
)
def test_a_wheel_with_a_part_wrong_is_refused(
    faults_of_wheel: Callable[..., str], name: str, text: str | None, fault: str
) -> None:
    assert fault in faults_of_wheel({name: text})


@pytest.mark.parametrize(
    ("said", "instead", "fault"),
    [
        ("Metadata-Version: 2.4", "Metadata-Version: 9.9", "9.9"),
        ("Name: sk-one", "Name: sk-two", "name is not"),
        ("Version: 1.0.0", "Version: 1.0.1", "version is not"),
        ("Summary: A package", "Summary: Another", "summary is not"),
        ("License-Expression: Apache-2.0\n", "", "license_expression is not"),
        ("License-Expression: Apache-2.0", "License-Expression: Nonsense-1", "Nonsense-1"),
        ("License-File: LICENSE\n", "", "license_files is not"),
        ("Requires-Python: >=3.11", "Requires-Python: >=3.8", "requires_python is not"),
        ("Requires-Dist: alpha>=1\n", "", "requires_dist is not"),
        ("Requires-Dist: alpha>=1", "Requires-Dist: alpha", "requires_dist is not"),
        ("; extra == 'extra'", "", "requires_dist is not"),
        ("# sk-one", "", "description is not"),
    ],
)
def test_metadata_that_differ_from_the_manifest_are_refused(
    faults_of_wheel: Callable[..., str], said: str, instead: str, fault: str
) -> None:
    changed = METADATA.replace(said, instead, 1)
    if said.startswith("Version"):
        changed = METADATA.replace(f"\n{said}", f"\n{instead}", 1)
    assert fault in faults_of_wheel({"sk_one-1.0.0.dist-info/METADATA": changed})


def test_a_description_with_a_link_into_the_repository_is_refused(
    one: Manifest, faults_of_wheel: Callable[..., str]
) -> None:
    """An index shows it at another place, where that leads to nothing."""
    for link, refused in (
        ("[docs](../../docs/x.md)", True),
        ("[here](#below)", False),
        ("[a page](https://example.org/x)", False),
    ):
        said = f"# sk-one\n\nSee {link}.\n"
        (one.root / "README.md").write_text(said)
        metadata = METADATA.partition("\n\n")[0] + f"\n\n{said}"
        found = faults_of_wheel({"sk_one-1.0.0.dist-info/METADATA": metadata})
        assert (f"the link {link} leads nowhere" in found) is refused
        assert bool(found) is refused


def test_a_whole_source_distribution_is_accepted(faults_of_sdist: Callable[..., str]) -> None:
    assert faults_of_sdist({}) == ""


@pytest.mark.parametrize("name", sorted(SDIST))
def test_a_source_distribution_that_lacks_anything_is_refused(
    faults_of_sdist: Callable[..., str], name: str
) -> None:
    assert f"sk_one-1.0.0/{name} is missing" in faults_of_sdist({name: None})


def test_a_source_distribution_that_reaches_out_of_its_folder_is_refused(
    faults_of_sdist: Callable[..., str],
) -> None:
    assert "lies outside" in faults_of_sdist({"../../etc/passwd": ""})
