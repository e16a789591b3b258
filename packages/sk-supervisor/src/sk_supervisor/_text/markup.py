"""HTML that is escaped by construction: a string that was not built here is treated as text.

A page is self-contained: it loads nothing, runs no script (its own policy forbids it), and follows
the reader's colour scheme, light or dark.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from typing import Final

from sk_supervisor.errors import RecordedFileError


class Markup(str):
    """A piece of HTML."""

    __slots__ = ()


Piece = str | Iterable["Piece"]
"""Text, markup, or several of them."""

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'"
)
_EMPTY: Final = {"meta", "link", "br"}
_PAGE_STYLE: Final = """
:root { color-scheme: light dark; --text: #1f2328; --back: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --text: #f0f6fc; --back: #0d1117; } }
body { margin: 0 auto; max-width: 90rem; padding: clamp(.6rem, 2vw, 1.2rem);
  background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: clamp(1.05rem, 3.4vw, 1.35rem); margin: 0 0 .6rem; overflow-wrap: anywhere; }
"""


def tag(name: str, /, *inside: Piece, **attributes: str | int | bool | None) -> Markup:
    """Make an element; a trailing underscore of an attribute's name is dropped (``class_``).

    An attribute that is None or False is left out; one that is True gets no value.
    """
    opened = name
    for key, value in attributes.items():
        if value is not None and value is not False:
            shown = key.rstrip("_").replace("_", "-")
            opened += f" {shown}" if value is True else f' {shown}="{escape(str(value))}"'
    if name in _EMPTY:
        return Markup(f"<{opened}>")
    return Markup(f"<{opened}>{joined(inside)}</{name}>")


def joined(pieces: Piece) -> Markup:
    """Concatenate pieces; those that are not markup are escaped."""
    if isinstance(pieces, Markup):
        return pieces
    if isinstance(pieces, str):
        return Markup(escape(pieces))
    return Markup("".join(map(joined, pieces)))


def style(text: str) -> Markup:
    """Make a style sheet. The text is not escaped, so it must be the program's own."""
    return Markup(f"<style>{text}</style>")


def page(title: str, *inside: Piece) -> str:
    """Make a whole page."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        style(_PAGE_STYLE),
    )
    body = tag("body", tag("main", tag("h1", title), *inside))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def write_page(path: str, text: str) -> None:
    """Write a page to a file and print its path; or write it to standard output if that is ``-``.

    :raises RecordedFileError: when the file cannot be written.
    """
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise RecordedFileError(path, "write", error.strerror or str(error)) from error
    sys.stdout.write(f"written: {path}\n")
