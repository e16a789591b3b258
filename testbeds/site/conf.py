"""Settings of Sphinx for the site; ``build_site.py`` calls it."""

from __future__ import annotations

import re
from typing import Any, Final

from docutils import nodes

project = "stream kernel"
copyright = "the authors of stream kernel, Apache-2.0"  # noqa: A001 - Sphinx's name for it
html_title = "stream kernel"

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4

smartquotes_action = "qe"  # Quotes and ellipses; an option's dashes stay two.

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["mermaid.min.js", "site.js"]
html_copy_source = False
html_show_sphinx = False
highlight_language = "none"  # Of a block that names no language: output and commands, not Python.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

#: The space within a number (1 000 000) and before a percent sign.
_WITHIN_A_NUMBER: Final = re.compile(r"(?<=\d) (?=\d{3}(?!\d)|%)")
_AS_WRITTEN: Final = (nodes.literal, nodes.raw, nodes.FixedTextElement)


def setup(app: Any) -> None:
    """Let Sphinx call what changes the pages that it has read."""
    app.connect("doctree-read", keep_numbers_on_one_line)


def keep_numbers_on_one_line(_app: Any, page: nodes.document) -> None:
    """Replace the spaces within numbers by spaces that break no line, except in code."""
    for text in list(page.findall(nodes.Text)):
        whole = _WITHIN_A_NUMBER.sub("\N{NO-BREAK SPACE}", text)
        if whole != text and not isinstance(text.parent, _AS_WRITTEN):
            text.parent.replace(text, nodes.Text(whole))
