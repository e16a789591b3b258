"""Keeping secrets out of what people are shown. Pure, over plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import SecretStr

from sk_config._path import Path

MASK: Final = "**********"
"""What stands for a secret in a dump (pydantic's own mask)."""


def masked(data: Mapping[str, Any], placeholders: Mapping[Path, str]) -> dict[str, Any]:
    """Copy a model's data for people.

    The texts in `placeholders` take the place of what they gave, `MASK` that of every `SecretStr`;
    a literal `${` is escaped.
    """
    shown: dict[str, Any] = _masked(data)
    for path, text in placeholders.items():
        _put(shown, path, text)
    return shown


def secrets_in(value: Any) -> Iterator[str]:
    """Give what every `SecretStr` in a model's data holds."""
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
        return  # a copy of the model, in which its user has put something else there


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
