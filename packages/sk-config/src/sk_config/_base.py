"""The base class of all models: frozen, without unknown keys, rules checked, secrets masked."""

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
    """One block of the configuration: frozen, and without unknown keys.

    A block made by `load_config`, `parse_config` or `build_config` has passed every check. Direct
    construction raises pydantic's `ValidationError`, by the same rules. `repr` shows placeholders,
    never their values; `model_dump` contains the values, for programs (a `SecretStr` stays masked);
    `dump_config` is the form to show to people.
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
        """Check the rules between this model's fields; models with such rules override this."""
        return ()

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield from masked_dump(self).items()


def remember_placeholders(model: ConfigModel, placeholders: Mapping[Path, str]) -> None:
    """Record in a model, and every model in it, which of its strings come from placeholders.

    `placeholders` maps the paths of these strings in `model` to their text in the document.
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
    """Record the values of all placeholders in a whole configuration."""
    model._brought_in = frozenset(values)


def remember_whereabouts(model: ConfigModel, whereabouts: Whereabouts) -> None:
    """Record in a whole configuration the file and the lines that it was read from."""
    model._whereabouts = whereabouts


def place_of(model: ConfigModel, path: str) -> str:
    """Return where in its file a configuration has the value at `path`: `shop.yaml, line 7`.

    `path` is written as in faults. If there is no such value, this is the place of the closest
    enclosing one; empty if that is not known, or if an override has set it.
    """
    return model._whereabouts.of(path)


def origin_of(model: ConfigModel) -> str:
    """Return the file (or other origin) that a configuration was read from; empty if none."""
    return model._whereabouts.origin


def secret_values(model: ConfigModel) -> frozenset[str]:
    """Return the texts of a configuration that must not be shown, for callers that filter output.

    They are the values of all `${ENV:NAME}` and `${FILE:path}`, secret or not, and every `secret`;
    the empty text is left out.
    """
    return (model._brought_in | frozenset(secrets_in(model.model_dump()))) - {""}


def masked_dump(model: ConfigModel) -> dict[str, Any]:
    """Return a model as plain data, with secrets masked and placeholders as they were written."""
    return masked(model.model_dump(), model._placeholders)
