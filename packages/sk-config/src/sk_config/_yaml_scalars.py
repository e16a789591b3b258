"""The scalars of YAML 1.2's core schema: their patterns and the conversion of their text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

STRING_TAG: Final = "tag:yaml.org,2002:str"


class InvalidScalar(NamedTuple):
    """The description, for a finding, of a scalar that has no plain value."""

    expected: str
    got: str


class _Scalar(NamedTuple):
    """A type of scalar: its pattern, the characters it can begin with, and its conversion."""

    pattern: re.Pattern[str]
    first_characters: str
    convert: Callable[[str], object]


def _integer(text: str) -> int:
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _number(text: str) -> float:
    return float(text.replace(".", "")) if text[-1] in "fFnN" else float(text)


# By tag. The order matters: the pattern of a number also matches integers.
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
    """Return the value of a scalar: str, int, float, bool, None; or `InvalidScalar`."""
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
