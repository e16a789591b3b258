"""What the sessions left behind: each of their files, or one line on why there is nothing of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "smoke": ("smoke.json", "smoke"),
    "floors": ("bench-short.json", "smoke"),
    "parity": ("parity.json", "parity"),
    "contracts": ("contracts.json", "contracts"),
    "bench": ("bench.json", "bench"),
}
"""What the page is made of: files, and the sessions that write them."""

SCHEMA = 1


@dataclass(frozen=True)
class Found:
    """One session's document, or what to say in its place."""

    document: Mapping[str, Any] | None
    note: str = ""


def read_inputs(reports: Path) -> dict[str, Found]:
    """Every document, by its name."""
    return {
        name: read_document(reports / file, session) for name, (file, session) in DOCUMENTS.items()
    }


def read_document(path: Path, session: str) -> Found:
    """A document of the schema that is known here."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Found(None, f"Not run yet: ./noxw -s {session} makes this part.")
    except ValueError:
        return Found(None, f"{path.name} is no JSON: ./noxw -s {session} makes it again.")
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return Found(None, f"{path.name} is of another version: ./noxw -s {session} renews it.")
    return Found(document)
