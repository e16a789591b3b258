"""A deep copy of data, checked to be plain (what JSON can hold) and within the limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sk_config._finding import Finding
from sk_config._limits import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_VALUES,
    MIN_INTEGER,
    OverLimitError,
    too_deep,
    too_many,
)
from sk_config._path import Path
from sk_config._show import kind, show
from sk_config.errors import Category

_PLAIN = "a mapping, a list, a string, a number, a boolean or null"


def plain_copy(value: object) -> tuple[Any, list[Finding]]:
    """Copy a value; items that are not plain become None (keys are left out), each with a finding.

    :raises OverLimitError: if the value exceeds a limit, for example because it contains itself.
    """
    copier = _Copier()
    return copier.copy(value, ()), copier.findings


class _Copier:
    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._values = 0

    def copy(self, value: object, path: Path) -> Any:
        self._keep_limits(path)
        if isinstance(value, Mapping):
            return {
                key: self.copy(item, (*path, key))
                for key, item in value.items()
                if self._is_key(key, path)
            }
        if isinstance(value, list | tuple):
            return [self.copy(item, (*path, index)) for index, item in enumerate(value)]
        if (fault := _scalar_fault(value)) is not None:
            self.findings.append(Finding(path, *fault))
            return None
        return value

    def _keep_limits(self, path: Path) -> None:
        self._values += 1
        if len(path) > MAX_DEPTH:
            raise OverLimitError(too_deep(path[:1]))
        if self._values > MAX_VALUES:
            raise OverLimitError(too_many(path[:1]))

    def _is_key(self, key: object, path: Path) -> bool:
        if type(key) is not str:
            got = f"{show(key)} as a key"
            self.findings.append(Finding(path, "wrong_type", "keys that are strings", got))
            return False
        if not _is_unicode(key):
            got = "a key with a lone surrogate"
            self.findings.append(Finding(path, "bad_value", "keys that are Unicode text", got))
            return False
        return True


def _scalar_fault(value: object) -> tuple[Category, str, str] | None:
    """Return why a scalar is not plain: category, expected and got; None if it is plain."""
    if value is None or type(value) is bool:
        return None
    if type(value) is str:
        if _is_unicode(value):
            return None
        return "bad_value", "Unicode text", "a string with a lone surrogate"
    if type(value) is int:
        if MIN_INTEGER <= value <= MAX_INTEGER:
            return None
        return "bad_value", "an integer of at most 64 bits", "a larger integer"
    if type(value) is float:
        return None if math.isfinite(value) else ("bad_value", "a finite number", show(value))
    return "wrong_type", _PLAIN, kind(value)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
