"""Whether ``--output FILE`` is all that a sink would write to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from msgspec import convert, to_builtins
from sk_config import override_data
from sk_kernel import ApplicationSpec

#: The setting that ``--output`` gives.
_PATH: Final = "path"
_Keys = tuple[str, ...]


def other_places(
    model: type | None, application: ApplicationSpec, overrides: Iterable[str]
) -> list[str]:
    """The sink's settings beside ``path`` that may say where it writes, and that no override gives.

    That is whatever is text in its ``model``, or in something within it, be it by default; but for
    a choice among fixed words.
    """
    if model is None or application.sink is None:
        return []
    given = override_data(overrides)
    for key in ("adapters", "sink", "settings"):
        given = given.get(key) or {}
    settings: Any = convert(dict(application.sink.settings), model)
    plain = to_builtins(settings, enc_hook=str)
    chosen = {_PATH, *_choices(model)}
    places = _texts({key: value for key, value in plain.items() if key not in chosen}, ())
    found = [".".join(keys) for keys in places if not _has(given, keys)]
    return [f"adapters.sink.settings.{name}" for name in found]


def _texts(value: Any, keys: _Keys) -> Iterator[_Keys]:
    """Where there is text in plain data; of a list, that it is there."""
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
    """The fields of a model that can be nothing but some of the words that it knows."""
    return (name for name, hint in get_type_hints(model).items() if _is_choice(hint))


def _is_choice(hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return True
    inner = [each for each in get_args(hint) if each is not NoneType]
    if inner:
        return all(_is_choice(each) for each in inner)
    return isinstance(hint, type) and issubclass(hint, Enum)
