"""What packages reach, and the lowest versions that they allow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from install_manifests import (
    Manifest,
    ManifestError,
    constraints,
    lowest,
    lowest_pins,
    reached,
)
from packaging.requirements import Requirement
from packaging.version import Version

Make = Callable[..., Manifest]


def requirements(*lines: str) -> list[Requirement]:
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(
    ("line", "bound"),
    [
        ("a>=1.2,<3", "1.2"),
        ("a~=0.1.0", "0.1.0"),
        ("a==4", "4"),
        ("a>=1.2,~=1.4", "1.4"),
        ("a<3", None),
        ("a", None),
    ],
)
def test_the_lowest_version_is_the_highest_of_the_lower_bounds(
    line: str, bound: str | None
) -> None:
    assert lowest(Requirement(line)) == (bound and Version(bound))


def test_a_pin_is_the_lowest_version_that_satisfies_all() -> None:
    pins = lowest_pins(requirements("PyYAML>=6.0.1", "pyyaml>=6.0.2", "click>=8.1", "rich"))
    assert pins == {"pyyaml": Version("6.0.2"), "click": Version("8.1")}


def test_what_is_reached_goes_through_siblings_and_the_extras_asked_for(package: Make) -> None:
    low = package("sk-low", "alpha>=1", extra=("beta>=2",))
    top = package("sk-top", "sk-low[extra]~=1.0.0")
    found = reached([Requirement("sk-top")], {"sk-low": low, "sk-top": top})
    assert [each.name for each in found] == ["sk-top", "sk-low", "alpha", "beta"]


def test_a_package_that_names_itself_with_an_extra_comes_to_an_end(package: Make) -> None:
    one = package("sk-one", "alpha>=1", extra=("beta>=2",))
    found = reached([Requirement("sk-one[extra]")], {"sk-one": one})
    assert [each.name for each in found] == ["sk-one", "alpha", "beta"]


def test_siblings_come_from_their_wheels_and_nothing_else_is_held(
    package: Make, tmp_path: Path
) -> None:
    low, wheel = package("sk-low"), tmp_path / "low.whl"
    found = constraints({}, {"sk-low": low}, {"sk-low": wheel})
    assert found == [f"sk-low @ {wheel.as_uri()}"]


def test_a_sibling_that_may_be_older_than_the_checkout_comes_from_the_index(
    package: Make, tmp_path: Path
) -> None:
    low, wheel = package("sk-low", version="1.2.3"), tmp_path / "low.whl"
    pins = {"sk-low": Version("1.2.0"), "alpha": Version("1")}
    found = constraints(pins, {"sk-low": low}, {"sk-low": wheel})
    assert found == ["alpha==1", "sk-low==1.2.0"]


def test_a_source_without_a_version_is_named(package: Make) -> None:
    manifest = package("sk-low")
    path = manifest.root / "src" / "sk_low" / "__init__.py"
    path.write_text("")
    with pytest.raises(ManifestError, match="sk_low"):
        _ = manifest.version
