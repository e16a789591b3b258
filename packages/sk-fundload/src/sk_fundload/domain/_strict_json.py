"""Strict JSON parsing with numbers left as text: no number is rounded or rejected for its size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 512
"""Objects and arrays nested deeper than this are rejected. A fixed bound: one imposed by the
interpreter's stack would depend on the caller, and so on the profile."""


class NotStrictJsonError(ValueError):
    """The bytes are not one strict JSON text in UTF-8, nested at most `MAX_DEPTH` deep."""


class IntegerText(str):
    """A JSON number without fraction or exponent, as it was written."""

    __slots__ = ()


class OtherNumber:
    """Replaces a JSON number with a fraction or an exponent: no field accepts one."""


def load_strict(data: bytes) -> Any:
    """Parse one JSON text; the last of several equal keys counts.

    :raises NotStrictJsonError: if RFC 8259 does not allow the text, and for invalid UTF-8, lone
        surrogates (escaped ones too) and nesting beyond `MAX_DEPTH`.
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

# A surrogate pair matches as a whole, so a half that matches alone (group 1) is a lone surrogate.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
# Possessive quantifiers: a text of a million escapes takes linear time and no stack.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?+', re.DOTALL)
_STEP: Final = {"[": 1, "{": 1, "]": -1, "}": -1}


def _deeper_than(limit: int, text: str) -> bool:
    if text.count("[") + text.count("{") <= limit:
        return False
    brackets: Iterator[str] = filter(_STEP.__contains__, _STRING.sub("", text))
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > limit
