"""Reading JSON text. Duplicate keys, NaN and Infinity, which `json` accepts, are faults."""

from __future__ import annotations

import json
from typing import Any

from sk_config._document import Document, without_value
from sk_config._finding import Finding
from sk_config._limits import MAX_DEPTH, too_deep
from sk_config._path import Path


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object in order, duplicate keys included."""


def parse_json(text: str) -> Document:
    """Read JSON text; a syntax fault carries its line, a duplicate key its path."""
    try:
        value = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        got = f"an error ({error.msg}), column {error.colno}"
        return without_value(Finding((), "syntax", "valid JSON", got, error.lineno))
    except ValueError:
        # An integer of thousands of digits, or a constant that `_refuse` rejects.
        return without_value(Finding((), "syntax", "JSON with finite numbers", "another number"))
    except RecursionError:
        return without_value(too_deep(()))
    findings: list[Finding] = []
    return Document(value=_value(value, (), findings), findings=tuple(findings))


def _value(read: Any, path: Path, findings: list[Finding]) -> Any:
    if len(path) > MAX_DEPTH:
        findings.append(too_deep(path[:1]))
        return None
    if isinstance(read, _Pairs):
        return _mapping(read, path, findings)
    if isinstance(read, list):
        return [_value(item, (*path, index), findings) for index, item in enumerate(read)]
    return read


def _mapping(pairs: _Pairs, path: Path, findings: list[Finding]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, item in pairs:
        if key in mapping:
            findings.append(Finding((*path, key), "syntax", "every key once", "a second one"))
        else:
            mapping[key] = _value(item, (*path, key), findings)
    return mapping


def _refuse(constant: str) -> None:
    raise ValueError(constant)
