"""The links and diagrams of a page of the repository, as the site needs them."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]*)\]\((?P<target>[^()\s]+)\)")
_DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FOREIGN = re.compile(r"[a-z][a-z0-9+.-]*:|#")


class BrokenLinkError(Exception):
    """A page of the repository refers to a file that is not there."""

    def __init__(self, page: str, target: str) -> None:
        super().__init__(f"{page} links to {target!r}, which is not there")


def relinked(text: str, page: str, staged: Mapping[str, str], root: Path) -> str:
    """The page's text, its links to other files as from its place on the site.

    ``staged`` gives, by its path in the repository, each file's path on the site. What is in the
    repository and not on the site becomes the name of where it is. Code is left alone.

    :raises BrokenLinkError: at a link to what is not in the repository.
    """
    home = posixpath.dirname(staged[page])

    def link(match: re.Match[str]) -> str:
        words, target = match["text"], match["target"]
        if _FOREIGN.match(target):
            return match[0]
        path, mark, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        if not (root / path).exists():
            raise BrokenLinkError(page, target)
        place = staged.get(path) or staged.get(f"{path}/README.md")
        if place is None:
            return words if path in words else f"{words} (`{path}`)"
        return f"[{words}]({posixpath.relpath(place, home or '.')}{mark}{anchor})"

    # A link whose words are code is a link: only whole blocks of code are passed over.
    parts = re.split(r"(^ *```.*?^ *```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(p if i % 2 else _LINK.sub(link, p) for i, p in enumerate(parts))


def drawable(text: str) -> str:
    """The page's text, its diagrams for the script that draws them; without it they can be read."""
    return _DIAGRAM.sub(_raw, text)


def _raw(match: re.Match[str]) -> str:
    diagram = html.escape(match[1])
    return f'```{{raw}} html\n<pre class="mermaid">\n{diagram}</pre>\n```'
