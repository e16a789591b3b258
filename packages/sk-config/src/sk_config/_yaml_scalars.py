"""The scalars of YAML 1.2's core schema: which text is of which type, and what it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

STRING_TAG: Final = "tag:yaml.org,2002:str"


class InvalidScalar(NamedTuple):
    """A scalar that has no plain value: what a finding says of it."""

    expected: str
    got: str


class _Scalar(NamedTuple):
    """A type of scalars: which plain text is one, what that begins with, what it stands for."""

    pattern: re.Pattern[str]
    first_characters: str
    convert: Callable[[str], object]


def _integer(text: str) -> int:
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _number(text: str) -> float:
    return float(text.replace(".", "")) if text[-1] in "fFnN" else float(text)


# By tag. The order counts: what the pattern of an integer matches, that of a number matches too.
SCALARS: Final = {
    "tag:yaml.org,2002:null": _Scalar(
        re.compile(r"(?:~|null|Null|NULL|)\Z"), "~nN\0", lambda _text: None
    ),
    "tag:yaml.org,2002:bool": _Scalar(
        re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
        "tTfF",
        lambda text: text[0] in "tT",
    ),
    "tag:yaml.org,2002:int": _Scalar(
        re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"), "-+0123456789", _integer
    ),
    "tag:yaml.org,2002:float": _Scalar(
        re.compile(
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
        ),
        "-+.0123456789",
        _number,
    ),
}


def scalar(tag: str, text: str) -> object:
    """Give the value of a scalar: str, int, float, bool, None; or `InvalidScalar`."""
    if tag == STRING_TAG:
        return text
    rule = SCALARS.get(tag)
    if rule is None:
        return InvalidScalar("a value without a tag", "a tag")
    if not rule.pattern.match(text):
        return InvalidScalar(f"a value that its tag !!{tag.rpartition(':')[2]} fits", "another")
    try:
        return rule.convert(text)
    except ValueError:  # an integer of thousands of digits
        return InvalidScalar("an integer of at most 64 bits", "a larger integer")
