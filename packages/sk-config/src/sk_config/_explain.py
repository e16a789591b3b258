"""Conversion of pydantic's errors to findings, without values that must not be shown."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sk_config._base import NAME_OR_MAPPING, RULE
from sk_config._fields import LABEL_PATTERN, MODULE_PATTERN, NAME_PATTERN, TEXT_PATTERN
from sk_config._finding import Finding
from sk_config._path import Path
from sk_config._show import kind, show
from sk_config.errors import Category

_PATTERNS: Final = {
    NAME_PATTERN: "a name, not empty and without spaces",
    TEXT_PATTERN: "a text that is not blank",
    LABEL_PATTERN: "a name in lower case, such as 'inline' or 'process_supervisor'",
    MODULE_PATTERN: "the dotted name of a Python module",
}
_COLLECTIONS: Final = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    NAME_OR_MAPPING: "a name, or a mapping",
}
_SCALARS: Final = {
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a string",
}


def explain(errors: Iterable[ErrorDetails], model: type[BaseModel]) -> Iterator[Finding]:
    """Yield a finding per error of `model`, except for two kinds.

    A broken rule between fields is left out because `all_rules` finds it in the data. A list that
    is too short but not empty is left out because pydantic reports one if all of its items are
    invalid, and each of those has its own error.
    """
    for error in errors:
        if error["type"] != RULE and not (error["type"] == "too_short" and error["input"]):
            yield _finding(error, model)


def _finding(error: ErrorDetails, model: type[BaseModel]) -> Finding:
    path, value = error["loc"], error["input"]
    owner, field = _field_at(path, model)
    match error["type"]:
        case "extra_forbidden":
            return Finding(path, "unknown_key", _known_keys(str(path[-1]), owner), "another key")
        case "missing":
            about = field.description if field else None
            return Finding(path, "missing", f"a value ({about})", "nothing")
        case collection if collection in _COLLECTIONS:
            return Finding(path, "wrong_type", _collection(collection, path, value), kind(value))
        case other:
            category, expected = _category_and_expected(other, error.get("ctx", {}))
            hidden = field is not None and SecretStr in _types_in(field.annotation)
            return Finding(path, category, expected, kind(value) if hidden else show(value))


def _collection(error_type: str, path: Path, value: Any) -> str:
    """Name the expected collection; `one mapping` if a list was given for a single block."""
    expected = _COLLECTIONS[error_type]
    if not path or error_type == "tuple_type":
        return expected
    if value is None:
        return f"{expected} ({{}} for what it has by default)"
    return expected.replace("a mapping", "one mapping") if isinstance(value, list) else expected


def _category_and_expected(error_type: str, context: Mapping[str, Any]) -> tuple[Category, str]:
    match error_type:
        case wrong if wrong in _SCALARS:
            return "wrong_type", _SCALARS[wrong]
        case "literal_error":
            return "bad_value", str(context["expected"])
        case "greater_than_equal":
            return "bad_value", f"at least {context['ge']}"
        case "less_than_equal":
            return "bad_value", f"at most {context['le']}"
        case "too_short":
            return "bad_value", "one that is not empty"
        case "string_too_long":
            return "bad_value", f"at most {context['max_length']} characters"
        case "string_pattern_mismatch":
            return "bad_value", _PATTERNS[context["pattern"]]
        case _:
            return "bad_value", "a value that the schema allows"


def _known_keys(key: str, owner: type[BaseModel] | None) -> str:
    """Name the keys of a model, and the one most likely meant."""
    known = list(owner.model_fields) if owner else []
    named = [name for name in known if key in name.split("_")]
    nearest = named or difflib.get_close_matches(key[:100], known, n=1)
    hint = f" (did you mean {nearest[0]}?)" if nearest else ""
    return f"one of {', '.join(known)}{hint}"


def _field_at(
    path: Path, model: type[BaseModel]
) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """Return the model that has the last key of a path, and the field of that key."""
    owner: type[BaseModel] | None = None
    inner: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in path:
        if isinstance(part, str):
            owner = inner
            field = owner.model_fields.get(part) if owner else None
            inner = _model_in(field.annotation) if field else None
    return owner, field


def _model_in(annotation: Any) -> type[BaseModel] | None:
    return next((t for t in _types_in(annotation) if issubclass(t, BaseModel)), None)


def _types_in(annotation: Any) -> Iterator[type[Any]]:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _types_in(argument)
