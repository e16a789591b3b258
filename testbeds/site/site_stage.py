"""Laying out the sources of the site in a folder of their own, for Sphinx."""

from __future__ import annotations

import shutil
from pathlib import Path

from site_api import api_page
from site_links import drawable, relinked
from site_navigation import FRONT, MODULES, NAVIGATION, ROOT, place, places


def stage(folder: Path) -> None:
    """Write every page into ``folder``, which is made anew.

    :raises UnlistedPageError: when the navigation and what is there differ.
    :raises BrokenLinkError: at a link to what is not there.
    """
    staged = places()
    shutil.rmtree(folder, ignore_errors=True)
    for source, target in staged.items():
        if target.endswith(".md"):
            text = relinked((ROOT / source).read_text("utf-8"), source, staged, ROOT)
            _write(folder / target, drawable(text) + (contents() if source == FRONT else ""))
        else:
            _write(folder / target, (ROOT / source).read_text("utf-8"))
    for module in MODULES:
        _write(folder / "api" / f"{module}.md", api_page(module))


def contents() -> str:
    """The navigation, as Sphinx takes it."""
    sections = {
        caption: [f"/{place(page).removesuffix('.md')}" for page in section]
        for caption, section in NAVIGATION.items()
    }
    sections["Interfaces"] = [f"/api/{module}" for module in MODULES]
    parts = []
    for caption, entries in sections.items():
        options = f":hidden:\n:caption: {caption}\n\n"
        parts.append(f"```{{toctree}}\n{options}" + "\n".join(entries) + "\n```\n")
    return "\n" + "\n".join(parts)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
