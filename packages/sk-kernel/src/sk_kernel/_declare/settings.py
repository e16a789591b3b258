"""Settings of nodes, adapters and services, checked against their model; reports every fault."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, get_type_hints

import msgspec

from sk_kernel._declare.places import defined_at
from sk_kernel._declare.types import alternatives
from sk_kernel.errors import Fault

_TYPES: Final = re.compile("`([^`]+)`")
_WORDS: Final = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "object": "a mapping",
    "array": "a list",
}


def model_faults(model: type | None, owner: str, target: Any) -> list[Fault]:
    """Return the faults of a settings model itself, and of models within it, declared by ``owner``.

    :param target: the owner; its place in the code is looked up only for a fault, since that is
        slow.
    """
    if model is None:
        return []
    if not is_settings_model(model):
        wanted = f"a msgspec.Struct or dataclass for its settings, not {model.__qualname__}"
        return [Fault(owner, "bad_model", wanted, place=defined_at(target))]
    try:
        _resolve(model, set())
    except (NameError, TypeError) as error:
        wanted = "annotations of its settings that can be resolved"
        place = defined_at(model) or defined_at(target)
        return [Fault(owner, "bad_model", wanted, str(error), place)]
    return []


def settings_faults(model: type | None, given: Mapping[str, Any], path: str) -> list[Fault]:
    """Return the faults of ``given`` as settings of ``model``, field by field, nested ones too.

    :func:`model_faults` checks the model itself.
    """
    if model is None:
        return [Fault(f"{path}.{k}", "unknown_key", "no settings here") for k in given]
    fields = {field.key: field for field in _fields(model)}
    known = f"one of {', '.join(sorted(fields)) or 'nothing'}"
    faults = [
        Fault(f"{path}.{k}", "unknown_key", known + meant(k, fields))
        for k in given
        if k not in fields
    ]
    for key, field in fields.items():
        if key in given:
            faults += _value_faults(field.annotation, given[key], f"{path}.{key}")
        elif field.required:
            faults.append(Fault(f"{path}.{key}", "missing", "a value: it has no default", "none"))
    # A rule over several fields (__post_init__) is checked only once every field is right.
    return faults or _conversion_faults(model, dict(given), path)


def build_settings(model: type, given: Mapping[str, Any]) -> Any:
    """Build an instance of ``model``; call :func:`settings_faults` first."""
    return msgspec.convert(dict(given), model)


def meant(given: str, known: Iterable[str]) -> str:
    """Return a suggestion of the nearest of the ``known`` names; empty if none is near."""
    if not given:
        return ""
    import difflib  # imported here: needed only for a fault

    nearest = difflib.get_close_matches(given[:100], list(known), n=1)
    return f" (did you mean {nearest[0]}?)" if nearest else ""


def is_settings_model(model: Any) -> bool:
    """Return whether a class can be a settings model: a msgspec Struct or a dataclass."""
    return isinstance(model, type) and (
        issubclass(model, msgspec.Struct) or dataclasses.is_dataclass(model)
    )


class _Field(NamedTuple):
    key: str
    annotation: Any
    required: bool


def _fields(model: type) -> Iterator[_Field]:
    hints = get_type_hints(model, include_extras=True)
    if issubclass(model, msgspec.Struct):
        for field in msgspec.structs.fields(model):
            yield _Field(field.encode_name, hints[field.name], field.required)
    elif dataclasses.is_dataclass(model):
        missing = dataclasses.MISSING
        for item in dataclasses.fields(model):
            if item.init:
                required = item.default is missing and item.default_factory is missing
                yield _Field(item.name, hints[item.name], required)


def _resolve(annotation: Any, seen: set[Any]) -> None:
    """Read the fields of every model within an annotation; raises if one cannot be resolved."""
    one = _bare(annotation)
    if is_settings_model(one) and one not in seen:
        seen.add(one)
        for field in _fields(one):
            _resolve(field.annotation, seen)
    for argument in typing.get_args(one):
        _resolve(argument, seen)


def _value_faults(annotation: Any, value: Any, path: str) -> list[Fault]:
    """Return the faults of one value: all faults of models within it, otherwise the first."""
    members = [m for m in alternatives(_bare(annotation)) if m is not type(None)]
    one = _bare(members[0]) if len(members) == 1 else None
    arguments = typing.get_args(one)
    if is_settings_model(one) and isinstance(value, Mapping):
        return settings_faults(one, value, path)
    faults: list[Fault] = []
    if typing.get_origin(one) is list and isinstance(value, list):
        for index, item in enumerate(value):
            faults += _value_faults(arguments[0], item, f"{path}[{index}]")
    elif typing.get_origin(one) is dict and isinstance(value, Mapping):
        for key, item in value.items():
            faults += _value_faults(arguments[1], item, f"{path}.{key}")
    return faults or _conversion_faults(annotation, value, path)


def _conversion_faults(annotation: Any, value: Any, path: str) -> list[Fault]:
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError as error:
        text, _, inner = str(error).partition(" - at `$")
        if not text.startswith("Expected "):  # the message of a __post_init__, for example
            return [Fault(path + inner.rstrip("`"), "bad_value", "", text)]
        expected, _, got = _in_words(text.removeprefix("Expected ")).partition(", got ")
        category = "wrong_type" if got else "bad_value"
        return [Fault(path + inner.rstrip("`"), category, expected, got)]
    except Exception as error:  # noqa: BLE001 - whatever a model's __post_init__ raises is a fault
        return [Fault(path, "bad_value", "", f"{type(error).__name__}: {error}")]
    return []


def _in_words(text: str) -> str:
    """Replace msgspec's type names in a text by the words that other configuration faults use."""
    return _TYPES.sub(lambda types: " or ".join(map(_in_word, types[1].split(" | "))), text)


def _in_word(name: str) -> str:
    return _WORDS.get(name, name)


def _bare(annotation: Any) -> Any:
    if typing.get_origin(annotation) is typing.Annotated:
        return typing.get_args(annotation)[0]
    return annotation
