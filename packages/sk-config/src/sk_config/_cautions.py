"""Warnings about values that a configuration may have but that are probably mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import SecretStr

from sk_config._model_config import Config
from sk_config._path import Path, render_path

#: A variable in the syntax of a shell, which is not a placeholder here.
_VARIABLE: Final = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")


def cautions(config: Config) -> tuple[str, ...]:
    """Return a warning, with its path, for each secret in clear text and each shell-style variable.

    No warning contains a value.
    """
    return tuple(_cautions(config.model_dump(), (), config._placeholders))


def _cautions(value: Any, path: Path, placeholders: dict[Path, str]) -> Iterator[str]:
    match value:
        case SecretStr() if path not in placeholders:
            written = "a secret in clear text: write ${ENV:NAME} or ${FILE:path} in its place"
            yield f"{render_path(path)}: {written}"
        case str() if path not in placeholders and _VARIABLE.fullmatch(value):
            meant = "is taken as it is, `$` and all: an environment variable is written ${ENV:NAME}"
            yield f"{render_path(path)}: {meant}"
        case dict():
            for key, item in value.items():
                yield from _cautions(item, (*path, key), placeholders)
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _cautions(item, (*path, index), placeholders)
