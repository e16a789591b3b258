"""JSON strings: escapes, surrogate pairs, and what may not stand in them."""

from __future__ import annotations

_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_HEX_DIGITS = "0123456789abcdefABCDEF"


class JsonError(Exception):
    """The text is not JSON as RFC 8259 has it; `at` is the offset (characters; bytes for UTF-8)."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(f"{what} at offset {at}")
        self.what = what
        self.at = at


def read_string(text: str, start: int) -> tuple[str, int]:
    """Read the string whose opening quote is at `start`; give it and the offset behind it."""
    parts: list[str] = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == '"':
            return "".join(parts), at + 1
        if char < " ":
            raise JsonError("control character in a string", at)
        if char == "\\":
            char, at = _read_escape(text, at)
        else:
            at += 1
        parts.append(char)
    raise JsonError("string without an end", start)


def _read_escape(text: str, at: int) -> tuple[str, int]:
    letter = text[at + 1 : at + 2]
    if letter in _ESCAPES:
        return _ESCAPES[letter], at + 2
    unit = _read_code_unit(text, at)
    if 0xDC00 <= unit <= 0xDFFF:
        raise JsonError("second half of a surrogate pair alone", at)
    if not 0xD800 <= unit <= 0xDBFF:
        return chr(unit), at + 6
    second = _read_code_unit(text, at + 6)
    if not 0xDC00 <= second <= 0xDFFF:
        raise JsonError("first half of a surrogate pair alone", at)
    return chr(0x10000 + (unit - 0xD800) * 0x400 + (second - 0xDC00)), at + 12


def _read_code_unit(text: str, at: int) -> int:
    r"""Read `\uXXXX` at `at`."""
    digits = text[at + 2 : at + 6]
    if text[at : at + 2] != "\\u" or len(digits) != 4:
        raise JsonError("bad escape", at)
    if any(digit not in _HEX_DIGITS for digit in digits):
        raise JsonError("bad escape", at)
    return int(digits, 16)
