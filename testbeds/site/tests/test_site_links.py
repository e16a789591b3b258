"""Pages find each other on the site as they do in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from site_links import BrokenLinkError, relinked
from site_navigation import MODULES, ROOT, places
from source_tree import PACKAGES

PLACES = {"docs/a.md": "a.md", "docs/b.md": "b.md", "packages/p/README.md": "packages/p.md"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the pages of `PLACES`, and a file that is on no site."""
    for name in [*PLACES, "src/code.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("docs/a.md", "[b](b.md#part)", "[b](b.md#part)"),
        ("docs/a.md", "[p](../packages/p)", "[p](packages/p.md)"),
        ("packages/p/README.md", "[`a`](../../docs/a.md)", "[`a`](../a.md)"),
        ("docs/a.md", "[here](#part), [there](https://example.org/x)", None),
        ("docs/a.md", "[code](../src/code.py)", "code (`src/code.py`)"),
        ("docs/a.md", "```yaml\n[x](nowhere.md)\n```", None),
    ],
)
def test_a_link_leads_where_it_did(root: Path, page: str, link: str, expected: str | None) -> None:
    assert relinked(link, page, PLACES, root) == (expected or link)


def test_a_link_to_nothing_is_refused(root: Path) -> None:
    with pytest.raises(BrokenLinkError, match=r"docs/a\.md links to 'c\.md#x'"):
        relinked("[c](c.md#x)", "docs/a.md", PLACES, root)


def test_every_page_is_in_the_navigation_and_every_link_leads_somewhere() -> None:
    staged = places()
    for page in staged:
        if page.endswith(".md"):
            relinked((ROOT / page).read_text("utf-8"), page, staged, ROOT)


def test_every_public_module_has_a_page() -> None:
    found = {
        ".".join(path.with_suffix("").relative_to(package.root / "src").parts)
        for package in PACKAGES
        if package.name != "sk-fundload"
        for path in package.sources()
        if "\n__all__ = " in path.read_text("utf-8")
    }
    public = {name.removesuffix(".__init__") for name in found}
    assert {name for name in public if "._" not in name} == set(MODULES)
