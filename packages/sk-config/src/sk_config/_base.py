"""The base of all models: frozen, closed to unknown keys, bound to its rules, silent on secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from sk_config._finding import Finding
from sk_config._masking import masked, secrets_in
from sk_config._path import Path, render_path
from sk_config._whereabouts import Whereabouts

RULE: Final = "rule"
"""The type of pydantic's error for a model that breaks a rule between its fields."""
NAME_OR_MAPPING: Final = "name_or_mapping"
"""The type of pydantic's error for a value that is neither a name nor a mapping."""


class ConfigModel(BaseModel):
    """One block of the configuration: frozen, and closed to keys that it does not know.

    Made by `load_config`, `parse_config` or `build_config`, it has passed every check. Constructed
    directly it raises pydantic's `ValidationError`, by the same rules. Its `repr` shows
    placeholders, never what they gave; `model_dump` holds what they gave, for machines (a
    `SecretStr` stays masked); `dump_config` is for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    _placeholders: dict[Path, str] = PrivateAttr(default_factory=dict)
    _brought_in: frozenset[str] = PrivateAttr(default=frozenset())
    _whereabouts: Whereabouts = PrivateAttr(default=Whereabouts())

    @model_validator(mode="after")
    def _keep_the_rules(self) -> Self:
        broken = [f"{render_path(f.path)}: expected {f.expected}" for f in self._broken_rules()]
        if broken:
            raise PydanticCustomError(RULE, "{broken}", {"broken": "; ".join(broken)})
        return self

    def _broken_rules(self) -> Iterable[Finding]:
        """Check the rules between this model's fields; a model that has some overrides this."""
        return ()

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield from masked_dump(self).items()


def remember_placeholders(model: ConfigModel, placeholders: Mapping[Path, str]) -> None:
    """Tell a model, and every model in it, which of its strings come from placeholders.

    `placeholders` are the texts as they were written, by their paths in `model`.
    """
    for path, text in placeholders.items():
        holder: Any = model
        for depth, part in enumerate(path):
            if isinstance(holder, ConfigModel):
                holder._placeholders[path[depth:]] = text
                holder = getattr(holder, str(part))
            else:
                holder = holder[part]


def remember_values(model: ConfigModel, values: Iterable[str]) -> None:
    """Tell a whole configuration what its placeholders stood for."""
    model._brought_in = frozenset(values)


def remember_whereabouts(model: ConfigModel, whereabouts: Whereabouts) -> None:
    """Tell a whole configuration what it was read from."""
    model._whereabouts = whereabouts


def place_of(model: ConfigModel, path: str) -> str:
    """Tell where in its file a configuration has the value at `path`: `shop.yaml, line 7`.

    `path` is written as in faults. Where there is no such value it is the place of the closest one
    around it; empty where that is not known, or where an override has set it.
    """
    return model._whereabouts.of(path)


def origin_of(model: ConfigModel) -> str:
    """Tell the file that a configuration was read from, or what took its place; empty for none."""
    return model._whereabouts.origin


def secret_values(model: ConfigModel) -> frozenset[str]:
    """Give the texts of a configuration that nobody may be shown, for those who filter output.

    They are what `${ENV:NAME}` and `${FILE:path}` stood for, secret or not, and every `secret`; an
    empty text is not among them.
    """
    return (model._brought_in | frozenset(secrets_in(model.model_dump()))) - {""}


def masked_dump(model: ConfigModel) -> dict[str, Any]:
    """Give a model as plain data with secrets masked and placeholders as they were written."""
    return masked(model.model_dump(), model._placeholders)
