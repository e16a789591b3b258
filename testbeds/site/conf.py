"""Settings of Sphinx for the site; ``build_site.py`` calls it."""

from __future__ import annotations

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
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
