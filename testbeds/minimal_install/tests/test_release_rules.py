"""What is in the way of a release, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from install_check import CHECKOUT
from install_manifests import Manifest, read_manifests
from packaging.version import Version
from release_rules import (
    ReleaseRefusedError,
    changelog_faults,
    order_faults,
    parse_tag,
    read_changelog,
    sibling_faults,
    tag_faults,
)

Make = Callable[..., Manifest]
MANIFESTS = read_manifests(CHECKOUT)
OUT = "# Changes\n\n## 1.0.0 (2026-05-01)\n\n- First.\n"


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_changelogs_of_this_checkout_agree_with_its_versions(name: str) -> None:
    text = (MANIFESTS[name].root / "CHANGELOG.md").read_text("utf-8")
    assert changelog_faults(MANIFESTS[name], read_changelog(text), tagged=False) == []


@given(st.sampled_from(sorted(MANIFESTS)), st.tuples(*[st.integers(0, 99)] * 3))
def test_a_tag_names_its_package_and_its_version(name: str, numbers: tuple[int, int, int]) -> None:
    version = ".".join(map(str, numbers))
    assert parse_tag(f"{name}-v{version}", MANIFESTS) == (MANIFESTS[name], Version(version))


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("v1.0.0", "not of the form"),
        ("sk-kernel-1.0.0", "not of the form"),
        ("sk-kernel-v1.0.0\n", "not of the form"),
        ("sk-kernel-v", "not of the form"),
        ("sk-nothing-v1.0.0", "names no package"),
        ("sk-kernel-v1.x", "PEP 440"),
        ("sk-kernel-v1.0.0-rc1", "written 1.0.0rc1"),
        ("sk-kernel-v01.0.0", "written 1.0.0"),
        ("sk-kernel-v1.0.0.dev1", "for the public"),
        ("sk-kernel-v1.0.0+here", "for the public"),
    ],
)
def test_a_tag_that_names_no_release_is_refused_with_the_reason(tag: str, reason: str) -> None:
    with pytest.raises(ReleaseRefusedError, match=reason):
        parse_tag(tag, MANIFESTS)


def test_a_tag_must_bear_the_version_of_the_source(package: Make) -> None:
    one = package("sk-one", version="1.0.0")
    assert tag_faults(one, Version("1.0.0")) == []
    assert tag_faults(one, Version("1.0.1")) == ["the tag says 1.0.1, and the source 1.0.0"]


def test_an_entry_may_be_unreleased_only_while_there_is_no_tag(package: Make) -> None:
    entries = read_changelog("## 1.0.0 (unreleased)\n\n- All.\n")
    assert changelog_faults(package("sk-one"), entries, tagged=False) == []
    assert "no date" in changelog_faults(Manifest(package("sk-two").root), entries, tagged=True)[0]


@pytest.mark.parametrize("tagged", [True, False])
def test_a_dated_entry_that_says_something_is_in_nobodys_way(package: Make, tagged: bool) -> None:
    assert changelog_faults(package("sk-one"), read_changelog(OUT), tagged=tagged) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "begins with none"),
        ("## 1.1.0 (2026-05-02)\n\n- More.\n\n" + OUT, "begins with 1.1.0"),
        ("## 1.0.0 (2026-05-01)\n", "says nothing"),
        ("## 1.0.0 (soon)\n\n- First.\n", "no date"),
        ("## 1.0.0 (2026-13-01)\n\n- First.\n", "no date"),
        ("## 1.0.0\n\n- First.\n", "no date"),
        (OUT + "\n## 0.9.0 (unreleased)\n\n- Old.\n", "not the newest"),
        (OUT + "\n## 1.0.0 (2026-04-01)\n\n- Again.\n", "do not fall"),
        (OUT + "\n## 1.1.0 (2026-04-01)\n\n- Later.\n", "do not fall"),
        (OUT + "\n## old (2026-04-01)\n\n- Once.\n", "old"),
    ],
)
def test_a_changelog_that_disagrees_is_a_fault(package: Make, text: str, fault: str) -> None:
    found = changelog_faults(package("sk-one"), read_changelog(text), tagged=False)
    assert fault in "\n".join(found)


def test_the_notes_of_a_release_are_the_text_of_its_entry_alone() -> None:
    entries = read_changelog(OUT.replace("## 1", "## 2.0.0 (2026-06-01)\n\n- Second.\n\n## 1"))
    assert [entry.text for entry in entries] == ["- Second.", "- First."]


@pytest.mark.parametrize(
    ("now", "faults"),
    [("1.0.0", 0), ("1.0.9", 0), ("1.1.0", 1), ("2.0.0", 1), ("1.0.0rc1", 1)],
)
def test_a_requirement_must_admit_what_its_sibling_is_now(
    package: Make, now: str, faults: int
) -> None:
    low, top = package("sk-low", version=now), package("sk-top", "sk-low~=1.0.0", "click>=8")
    assert len(sibling_faults(top, {"sk-low": low, "sk-top": top})) == faults


def test_a_requirement_of_an_extra_is_looked_at_too(package: Make) -> None:
    low = package("sk-low", version="2.0.0")
    top = package("sk-top", extra=("sk-low~=1.0.0",))
    assert sibling_faults(top, {"sk-low": low}) == ["requires sk-low~=1.0.0, and sk-low is 2.0.0"]


def test_a_package_goes_out_after_the_siblings_that_it_requires(package: Make) -> None:
    manifests = {"sk-low": package("sk-low"), "sk-top": package("sk-top", "sk-low~=1.0.0")}
    top, waiting = manifests["sk-top"], read_changelog("## 1.0.0 (unreleased)\n\n- All.\n")
    assert order_faults(top, manifests, {"sk-low": waiting}) == [
        "requires sk-low~=1.0.0, and sk-low 1.0.0 is not released"
    ]
    assert order_faults(top, manifests, {"sk-low": read_changelog(OUT)}) == []
