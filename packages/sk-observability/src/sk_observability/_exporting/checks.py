"""Checks of an exporter's settings against a table of what each key takes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sk_kernel.runtime import one_of as choice

from sk_observability._exporting.exporter import Settings
from sk_observability.errors import ExporterFault, FaultCategory

Problem = tuple[FaultCategory, str, str]
"""A fault without its path: category, what is expected, and what was found (never the value)."""

Check = Callable[[object], Problem | None]
"""Checks one value: returns its problem, or None."""

Table = Mapping[str, "Check | Table"]
"""Maps each key to the check of its value, or to the table of a nested mapping."""

_INTEGERS: Final = range(-(2**63), 2**63)
"""The integers that OTLP can carry."""


def check_settings(settings: Settings, table: Table, path: str = "") -> Iterator[ExporterFault]:
    """Yield every fault of the settings, in the order of their keys; unknown keys are faults."""
    for key, value in settings.items():
        here = f"{path}{key}"
        match table.get(key):
            case None:
                yield ExporterFault(here, "unknown_key", choice(table, key), "another one")
            case Mapping() as inner:
                if isinstance(value, Mapping):
                    yield from check_settings(value, inner, f"{here}.")
                else:
                    yield ExporterFault(here, "wrong_type", "a mapping", type(value).__name__)
            case check:
                if problem := check(value):
                    yield ExporterFault(here, *problem)


def text(expected: str) -> Check:
    """Return a check for a text that is not empty and can be encoded as UTF-8."""

    def check(value: object) -> Problem | None:
        if not isinstance(value, str):
            return "wrong_type", expected, type(value).__name__
        if not value:
            return "bad_value", expected, "an empty text"
        return None if _is_sendable(value) else ("bad_value", expected, "one with a lone surrogate")

    return check


def one_of(*words: str) -> Check:
    """Return a check for one of these words."""
    expected = " or ".join(words)

    def check(value: object) -> Problem | None:
        if not isinstance(value, str):
            return "wrong_type", expected, type(value).__name__
        return None if value in words else ("bad_value", expected, "another word")

    return check


def flag(value: object) -> Problem | None:
    """Check a boolean."""
    return (
        None if isinstance(value, bool) else ("wrong_type", "true or false", type(value).__name__)
    )


def whole(least: int, most: int) -> Check:
    """Return a check for a whole number from `least` to `most`, both included."""
    expected = f"a whole number from {least} to {most}"

    def check(value: object) -> Problem | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return "wrong_type", expected, type(value).__name__
        return None if least <= value <= most else ("bad_value", expected, "one beyond them")

    return check


def seconds(most: float) -> Check:
    """Return a check for a time in seconds, above 0 and at most `most`."""
    expected = f"seconds, above 0 and up to {most:g}"

    def check(value: object) -> Problem | None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return "wrong_type", expected, type(value).__name__
        fine = math.isfinite(value) and 0 < value <= most
        return None if fine else ("bad_value", expected, "a number beyond them")

    return check


def texts(expected: str, key: Callable[[str], bool] = str.isascii) -> Check:
    """Return a check for a mapping of names to printable ASCII texts, which may be secrets.

    `key` decides which names are valid.
    """

    def check(value: object) -> Problem | None:
        if not isinstance(value, Mapping):
            return "wrong_type", expected, type(value).__name__
        if not all(isinstance(name, str) and name and key(name) for name in value):
            return "bad_value", expected, "a name that will not do"
        if not all(isinstance(each, str) for each in value.values()):
            return "wrong_type", expected, "a value that is no text"
        if not all(each.isascii() and each.isprintable() for each in value.values()):
            return "bad_value", expected, "a value that is not printable ASCII"
        return None

    return check


def scalars(value: object) -> Problem | None:
    """Check a mapping of names to texts, numbers or booleans, all of which OTLP can carry."""
    expected: Final = "a mapping of names to scalars"
    if not isinstance(value, Mapping):
        return "wrong_type", expected, type(value).__name__
    fine = all(isinstance(k, str) and k for k in value) and all(
        isinstance(v, str | int | float) for v in value.values()
    )
    if not fine:
        return "wrong_type", expected, "a name or a value that is none"
    if not all(map(_is_sendable, [*value, *value.values()])):
        problem = "an integer of more than 64 bits, or a text with a lone surrogate"
        return "bad_value", expected, problem
    return None


def _is_sendable(value: object) -> bool:
    """Whether protobuf can encode the value: OpenTelemetry silently omits what it cannot."""
    match value:
        case str():
            return not any("\ud800" <= character <= "\udfff" for character in value)
        case int():
            return value in _INTEGERS
    return True


def readable_file(value: object) -> Problem | None:
    """Check the path of a readable file."""
    expected: Final = "a file that can be read"
    if not isinstance(value, str):
        return "wrong_type", expected, type(value).__name__
    if "\0" in value or not os.path.isfile(value):
        return "bad_value", expected, "none"
    return (
        None if os.access(value, os.R_OK) else ("bad_value", expected, "one that is not readable")
    )
