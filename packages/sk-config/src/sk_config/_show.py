"""Values rendered for a fault: what kind of value it is and, of a scalar, a short piece."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 40


def kind(value: object) -> str:
    """Name the kind of a value and nothing of its content."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int():
            return "an integer"
        case float():
            return "a number"
        case dict():
            return f"a mapping of {_count(len(value), 'key')}"
        case list() | tuple():
            return f"a list of {_count(len(value), 'item')}"
        case _:
            return f"an object of type {type(value).__name__[:_LONGEST]}"


def show(value: object) -> str:
    """Name the kind of a value with, for a scalar, its text cut at 40 characters."""
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case str() if len(value) > _LONGEST:
            return f"the string {value[:_LONGEST]!r}... of {len(value)} characters"
        case str():
            return f"the string {value!r}"
        case int():
            return f"the integer {value}"
        case float():
            return f"the number {value}"
        case _:
            return kind(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
