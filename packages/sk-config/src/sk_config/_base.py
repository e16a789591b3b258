"""The base of all models: frozen, closed, keeping the rules, silent about what was expanded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from sk_config._finding import Finding
from sk_config._path import Path, render_path
from sk_config._rules import MASK

RULE: Final = "rule"
"""The type of the pydantic error that a broken rule between fields gives."""


NAME_OR_MAPPING: Final = "name_or_mapping"
"""The type of the pydantic error that something else gives in the place of either."""


class ConfigModel(BaseModel):
    """A frozen block of the configuration without keys of its own making.

    Made by `load_config`, `parse_config` or `build_config`, it has passed every check. Constructed
    directly it raises pydantic's `ValidationError`. Its `repr` shows placeholders, never what they
    gave; `model_dump` holds the values that they gave, for machines (a `SecretStr` stays masked);
    `dump_config` is for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    _placeholders: dict[Path, str] = PrivateAttr(default_factory=dict)
    _brought_in: frozenset[str] = PrivateAttr(default=frozenset())

    @model_validator(mode="after")
    def _keep_the_rules(self) -> Self:
        broken = [f"{render_path(f.path)}: expected {f.expected}" for f in self._broken_rules()]
        if broken:
            raise PydanticCustomError(RULE, "{broken}", {"broken": "; ".join(broken)})
        return self

    def _broken_rules(self) -> Iterable[Finding]:
        return ()

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield from masked_dump(self).items()


def remember_placeholders(model: ConfigModel, placeholders: Mapping[Path, str]) -> None:
    """Let a model, and every model in it, know which strings were expanded: they stay masked."""
    for path, text in placeholders.items():
        holder: Any = model
        for depth, part in enumerate(path):
            if isinstance(holder, ConfigModel):
                holder._placeholders[path[depth:]] = text
                holder = getattr(holder, str(part))
            else:
                holder = holder[part]


def remember_values(model: ConfigModel, values: Iterable[str]) -> None:
    """Let a whole configuration know what its placeholders stood for."""
    model._brought_in = frozenset(values)


def secret_values(model: ConfigModel) -> frozenset[str]:
    """Give the texts of a configuration that nobody may be shown, for those who filter output.

    They are what `${ENV:NAME}` and `${FILE:path}` stood for, secret or not, and every `secret`.
    """
    return model._brought_in | frozenset(_secrets(model.model_dump()))


def _secrets(value: Any) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case dict():
            for item in value.values():
                yield from _secrets(item)
        case list() | tuple():
            for item in value:
                yield from _secrets(item)


def masked_dump(model: ConfigModel) -> dict[str, Any]:
    """Give a model as plain data with secrets masked and placeholders as they were written."""
    data: dict[str, Any] = _masked(model.model_dump())
    for path, text in model._placeholders.items():
        _put(data, path, text)
    return data


def _put(data: Any, path: Path, text: str) -> None:
    holder = data
    try:
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = text
    except (KeyError, IndexError, TypeError):
        return  # a copy whose user put something else there


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
