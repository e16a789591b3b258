"""A document as read from text: its value, its faults, and the lines of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Literal

from sk_config._finding import Finding
from sk_config._limits import MAX_BYTES
from sk_config._path import Path

Format = Literal["yaml", "json"]


@dataclass(frozen=True, slots=True)
class Document:
    """A value read from text; `readable` is False where there is no value to look at further."""

    value: Any
    findings: tuple[Finding, ...] = ()
    lines: Mapping[Path, int] = field(default_factory=dict)
    readable: bool = True


def unreadable(finding: Finding) -> Document:
    """Give a document without a value."""
    return Document(value=None, findings=(finding,), readable=False)


def read_text(path: FilePath) -> str | Finding:
    """Read a UTF-8 file (with or without byte order mark) of limited size."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = f"{str(path)!r}: {error.strerror or error}"
        return Finding((), "unreadable", "a file that can be read", why)
    except ValueError:
        return Finding((), "unreadable", "a file name", "a name with a NUL character")
    if len(content) > MAX_BYTES:
        return _too_long()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Finding((), "unreadable", "UTF-8 text", f"other bytes at offset {error.start}", line)


def parse_document(text: str, text_format: Format) -> Document:
    """Read YAML or JSON text of limited size."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return unreadable(_too_long())
    if text_format == "json":
        from sk_config._json import parse_json

        return parse_json(text)
    # PyYAML is loaded only when there is YAML to read, which a mapping or JSON is not.
    from sk_config._yaml import parse_yaml

    return parse_yaml(text)


def _too_long() -> Finding:
    return Finding((), "too_large", f"a document of at most {MAX_BYTES} bytes", "more")
