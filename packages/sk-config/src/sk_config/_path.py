"""Paths into a configuration: tuples of keys and indexes, and their textual form."""

from __future__ import annotations

import json
import re
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The location of a value: its keys and indexes from the top; empty for the whole document."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_:-]*")
_SEGMENT: Final = re.compile(
    r"""(?P<dot>\.)?(?P<key>[A-Za-z_][A-Za-z0-9_:-]*)|\[(?P<index>[0-9]{1,9})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]"""
)
_LONGEST_KEY: Final = 60


def render_path(path: Path) -> str:
    """Format a path as `groups[1].name`; a key that is no plain name as `["a.b"]`, cut if long."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif len(part) <= _LONGEST_KEY and _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            shown = part if len(part) <= _LONGEST_KEY else part[:_LONGEST_KEY] + "..."
            text += f"[{json.dumps(shown)}]"
    return text


def parse_path(text: str) -> Path | None:
    """Parse a path as `render_path` formats it; return None if it is malformed or empty."""
    path: list[str | int] = []
    at = 0
    while at < len(text):
        match = _SEGMENT.match(text, at)
        if match is None or (match["key"] and bool(match["dot"]) is not bool(path)):
            return None
        part = _part(match)
        if part is None:
            return None
        path.append(part)
        at = match.end()
    return tuple(path) or None


def _part(match: re.Match[str]) -> str | int | None:
    if match["index"]:
        return int(match["index"])
    if match["key"]:
        return match["key"]
    try:
        key = json.loads(match["quoted"])
    except ValueError:
        return None
    return str(key)
