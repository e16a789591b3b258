"""Strict JSON, with numbers left as text: nothing is rounded, refused for size, or guessed at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 512
"""Objects and arrays nested deeper than this are refused. A stated bound: one that came from the
interpreter's stack would depend on who calls, and so on the profile."""


class NotStrictJsonError(ValueError):
    """The bytes are not one strict JSON text, in UTF-8, nested at most `MAX_DEPTH` deep."""


class IntegerText(str):
    """A JSON number without fraction or exponent, as it is written."""

    __slots__ = ()


class OtherNumber:
    """Stands for a JSON number with a fraction or an exponent: nothing here takes one."""


def load_strict(data: bytes) -> Any:
    """Parse one JSON text; of a key given twice the last counts.

    :raises NotStrictJsonError: for anything that RFC 8259 does not allow, and for invalid UTF-8,
        lone surrogates (escaped ones too) and nesting beyond `MAX_DEPTH`.
    """
    try:
        text = data.decode("utf-8")
        if _deeper_than(MAX_DEPTH, text):
            raise NotStrictJsonError("nested too deep")
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotStrictJsonError(type(error).__name__) from error
    if any(found.group(1) for found in _ESCAPE.finditer(text)):
        raise NotStrictJsonError("a lone surrogate")
    return value


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(
    parse_int=IntegerText, parse_float=lambda _text: OtherNumber, parse_constant=_refuse
)

# Of a surrogate pair both halves are taken at once, so a half that is met alone (group 1) is one.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
# Possessive: a text of a million escapes takes linear time and no stack.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?+', re.DOTALL)
_STEP: Final = {"[": 1, "{": 1, "]": -1, "}": -1}


def _deeper_than(limit: int, text: str) -> bool:
    if text.count("[") + text.count("{") <= limit:
        return False
    brackets: Iterator[str] = filter(_STEP.__contains__, _STRING.sub("", text))
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > limit
