"""Masking of secrets in plain data that is shown to people. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import SecretStr

from sk_config._path import Path

MASK: Final = "**********"
"""Replaces a secret in a dump (pydantic's own mask)."""


def masked(data: Mapping[str, Any], placeholders: Mapping[Path, str]) -> dict[str, Any]:
    """Copy a model's data in a form to show to people.

    Values from placeholders are replaced by the texts in `placeholders`, every other `SecretStr` by
    `MASK`; a literal `${` is escaped.
    """
    shown: dict[str, Any] = _masked(data)
    for path, text in placeholders.items():
        _put(shown, path, text)
    return shown


def secrets_in(value: Any) -> Iterator[str]:
    """Yield the value of every `SecretStr` in a model's data."""
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case dict():
            for item in value.values():
                yield from secrets_in(item)
        case list() | tuple():
            for item in value:
                yield from secrets_in(item)


def _put(data: Any, path: Path, text: str) -> None:
    holder = data
    try:
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = text
    except (KeyError, IndexError, TypeError):
        return  # the model is a copy (`model_copy`) whose value there was replaced


def _masked(value: Any) -> Any:
    match value:
        case SecretStr():
            return MASK
        case str():
            return value.replace("${", "$${")
        case dict():
            return {key: _masked(item) for key, item in value.items()}
        case list() | tuple():
            return [_masked(item) for item in value]
        case _:
            return value
