"""Whether a sink and its services could write to more than the file of ``--output``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from msgspec import convert, to_builtins
from sk_config import override_data

_Keys = tuple[str, ...]


class Configured(NamedTuple):
    """A configured part: the place of its settings in the configuration, the settings, their model.

    ``known`` are the names of settings whose destination is known.
    """

    where: _Keys
    settings: Mapping[str, Any]
    model: type | None
    known: frozenset[str] = frozenset()


def other_places(configured: Iterable[Configured], overrides: Iterable[str]) -> list[str]:
    """The settings that may name a place to write to, are not ``known``, and have no override.

    These are all settings that are, or contain, text, also by default, except choices among fixed
    words.
    """
    given = override_data(overrides)
    return [
        ".".join((*each.where, *keys))
        for each in configured
        for keys in _places(each)
        if not _has(given, (*each.where, *keys))
    ]


def _places(configured: Configured) -> Iterator[_Keys]:
    model = configured.model
    if model is None:
        return
    settings: Any = convert(dict(configured.settings), model)
    plain = to_builtins(settings, enc_hook=str)
    chosen = {*configured.known, *_choices(model)}
    yield from _texts({key: value for key, value in plain.items() if key not in chosen}, ())


def _texts(value: Any, keys: _Keys) -> Iterator[_Keys]:
    """The keys of all texts in plain data. A list with text has only the key of the list."""
    if isinstance(value, str):
        yield keys
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*keys, str(key)))
    elif isinstance(value, list | tuple) and any(True for item in value for _ in _texts(item, ())):
        yield keys


def _has(given: Any, keys: _Keys) -> bool:
    for key in keys:
        if not isinstance(given, Mapping) or key not in given:
            return False
        given = given[key]
    return True


def _choices(model: type) -> Iterator[str]:
    """The fields of a model whose values are a choice among fixed words."""
    return (name for name, hint in get_type_hints(model).items() if _is_choice(hint))


def _is_choice(hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return True
    inner = [each for each in get_args(hint) if each is not NoneType]
    if inner:
        return all(_is_choice(each) for each in inner)
    return isinstance(hint, type) and issubclass(hint, Enum)
