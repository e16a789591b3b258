"""Descriptions of values for a fault: the kind of a value and, for a scalar, a part of it."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 40
_LONGEST_INTEGER_BITS: Final = 64


def kind(value: object) -> str:
    """Describe the kind of a value without its content: "a string"."""
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
    """Describe the kind of a value and a scalar's content: "the string 'tcp'", cut if long."""
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case str() if len(value) > _LONGEST:
            return f"the string {value[:_LONGEST]!r}... of {len(value)} characters"
        case str():
            return f"the string {value!r}"
        case int() if value.bit_length() > _LONGEST_INTEGER_BITS:
            return "an integer of more than 64 bits"
        case int():
            return f"the integer {value}"
        case float():
            return f"the number {value}"
        case _:
            return kind(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
