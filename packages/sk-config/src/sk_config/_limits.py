"""Limits on the size of a document. A larger one is a mistake or an attack: reading stops."""

from __future__ import annotations

from typing import Final

from sk_config._finding import Finding
from sk_config._path import Path

MAX_BYTES: Final = 1024 * 1024
"""Maximum size of a document, and of a file that a placeholder names, in bytes."""
MAX_DEPTH: Final = 64
"""Maximum nesting depth of mappings and lists."""
MAX_VALUES: Final = 100_000
"""Maximum number of values in a document, with its YAML aliases expanded."""
MAX_INTEGER: Final = 2**64 - 1
MIN_INTEGER: Final = -(2**63)
"""With `MAX_INTEGER`: the integers that JSON and msgpack parsers commonly support."""


class OverLimitError(Exception):
    """Raised to stop reading a document that exceeds a limit; never leaves this package."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


def too_long() -> Finding:
    """Report a document of more than `MAX_BYTES`."""
    return Finding((), "too_large", f"a document of at most {MAX_BYTES} bytes", "more")


def too_deep(path: Path) -> Finding:
    """Report nesting beyond the limit (a mapping that contains itself is infinitely deep)."""
    expected = f"at most {MAX_DEPTH} mappings and lists inside each other"
    return Finding(path, "too_large", expected, "more")


def too_many(path: Path) -> Finding:
    """Report more values than the limit, which a short text can have by YAML aliases."""
    return Finding(path, "too_large", f"at most {MAX_VALUES} values, aliases expanded", "more")
