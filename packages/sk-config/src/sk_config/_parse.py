"""Reading text to a document, by the parser of its format."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sk_config._document import Document, without_value
from sk_config._json import parse_json
from sk_config._limits import MAX_BYTES, too_long

Format: TypeAlias = Literal["yaml", "json"]
"""The formats that a configuration is read from."""


def parse_document(text: str, text_format: Format) -> Document:
    """Read YAML or JSON text of at most `MAX_BYTES` in UTF-8; a longer one is a fault."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return without_value(too_long())
    if text_format == "json":
        return parse_json(text)
    # PyYAML is imported only if there is YAML to read: not for a mapping or JSON.
    from sk_config._yaml import parse_yaml

    return parse_yaml(text)
