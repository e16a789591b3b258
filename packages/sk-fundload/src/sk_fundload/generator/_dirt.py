"""Unreadable lines of every kind in the specification."""

from __future__ import annotations

import json
from typing import Any, Final

from sk_fundload.domain import MAX_LINE_BYTES

_GOOD: Final = {
    "id": "15887",
    "customer_id": "528",
    "load_amount": "$3318.47",
    "time": "2000-01-01T00:00:00Z",
}
_MISSING: Final = object()


def _line(**changes: Any) -> bytes:
    """Return a valid line with some values changed, or left out."""
    fields = {k: v for k, v in {**_GOOD, **changes}.items() if v is not _MISSING}
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def _with(raw: bytes) -> bytes:
    """Return a valid line with a raw JSON member before the others."""
    return b"{" + raw + b"," + _line()[1:]


_NOT_JSON: Final = (
    b"not json at all",
    b"null",
    b"17",
    b'"text"',
    b"[" + _line() + b"]",
    b"[]",
    b"{}",
    b"{",
    _line()[:-1],
    _line()[:40],
    _line() + _line(),
    _line() + b",",
    _line()[:-1] + b",}",
    _line().replace(b'"', b"'"),
    _line().replace(b":", b"=", 1),
    b"\xef\xbb\xbf" + _line(),
    b"\x00" + _line(),
    b"\x0b" + _line(),
    b"\xc2\xa0" + _line(),
    b"\xc2\xa0",
    "\u2028".encode(),
    _line().decode().encode("utf-16"),
)
_NOT_STRICT: Final = (
    *(
        _with(b'"x":' + value)
        for value in (
            *(b"NaN", b"Infinity", b"-Infinity", b"nan", b"True", b"undefined"),
            *(b"01", b"-01", b"+1", b".5", b"1.", b"1e", b"0x1F", b"1_000", b"--1", b"-"),
            *(b"'a'", b'"\x01"', b'"a\tb"', b'"\\x41"', b'"\\u12G4"', b"[1,]", b"{1:2}"),
            *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud800\\u0041"', b'"\\uD83D"'),
            *(b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x82"'),
            b"/* no comments */ 1",
            b"[" * 5_000 + b"]" * 5_000,
        )
    ),
    _with(b'"\\ud800":1'),
    _with(b'"\xff":1'),
    _line(id="15887").replace(b"15887", b"1588\xff7"),
    _line().replace(b"$3318.47", b"\\ud800"),
)
_NO_ID: Final[tuple[Any, ...]] = (None, True, False, 1.0, 528.5, [], {}, ["1"], {"id": "1"})
_NO_TEXT: Final[tuple[Any, ...]] = (946684800, 3318.47, None, {}, ["$1.00"], True, False)
_WRONG_TYPES: Final = (
    *(_line(**{name: _MISSING}) for name in _GOOD),
    *(_line(id=value) for value in _NO_ID),
    *(_line(customer_id=value) for value in _NO_ID),
    *(_line(load_amount=value) for value in _NO_TEXT),
    *(_line(time=value) for value in _NO_TEXT),
    _line(id=1).replace(b":1,", b":1e3,"),
    _line(id=1).replace(b":1,", b":1E400,"),
    _line(id=True, customer_id=None, time="never", load_amount="much"),
    _line(id="abc", customer_id=None),
    _line(id=None, customer_id="abc"),
    _line()[:-1] + b',"id":null}',
    _line()[:-1] + b',"time":0}',
    _line(ID="15887", id=_MISSING),
)
_BAD_IDS: Final = (
    "", " ", "abc", "-5", "+5", "1.0", "1e3", "0x1F", "12 34", "1_000", "5\u00a0", "\u20075",
    "\u0661\u0662\u0663", "\uff11", "\u00b2", "\u2460", "5\x00", "5\x0b", "9" * 41, "0" * 41,
)  # fmt: skip
_IDS: Final = (
    *(_line(id=text) for text in _BAD_IDS),
    *(_line(customer_id=text) for text in _BAD_IDS),
    *(_line(id=number) for number in (-5, 10**40, 10**60)),
    _line(customer_id=-1),
    _line(id="x", time="never", load_amount="much"),
    _line(customer_id="x", time="never"),
    _line(id=1).replace(b":1,", b":" + b"1" * 5_000 + b","),
)
_TIMES: Final = tuple(
    _line(time=text)
    for text in (
        "", "never", "2000-01-01", "2000-01-01T00:00:00", "2000-01-01 00:00:00Z",
        "2000-01-01T00:00Z", "2000-01-01T0:00:00Z", "2000-01-01T24:00:00Z", "2000-01-01T23:60:00Z",
        "2000-01-01T23:59:60Z", "2000-12-31T23:59:60Z", "2000-13-01T00:00:00Z",
        "2000-00-01T00:00:00Z", "2000-01-00T00:00:00Z", "2000-02-30T00:00:00Z",
        "1900-02-29T00:00:00Z", "2001-02-29T00:00:00Z", "0000-01-01T00:00:00Z",
        "0000-12-31T23:00:00-02:00", "0001-01-01T00:00:00+00:01", "0001-01-01T22:00:00+23:59",
        "9999-12-31T23:59:59-00:01", "9999-12-31T02:00:00-23:59", "10000-01-01T00:00:00Z",
        "2000-01-01T00:00:00.1234567Z", "2000-01-01T00:00:00.Z", "2000-01-01T00:00:00,5Z",
        "2000-01-01T00:00:00+24:00", "2000-01-01T00:00:00+01:60", "2000-01-01T00:00:00+0100",
        "2000-01-01T00:00:00+01", "2000-01-01T00:00:00+1:00", "2000-01-01T00:00:00 Z",
        "2000-01-01T00:00:00ZZ", "2000-01-01T00:00:00UTC", "2000-01-01T00:00:00\u22121:00",
        "20000101T000000Z", "2000-W01-1T00:00:00Z", "+2000-01-01T00:00:00Z",
        "-2000-01-01T00:00:00Z",
        "\u0662000-01-01T00:00:00Z", "2000-01-01T00:00:\uff10\uff10Z", "2000-01-01T00:00:00Z\u00a0",
        "2000-01-01T00:00:00Z\x00", "2000-1-1T00:00:00Z", "00-01-01T00:00:00Z",
    )
)  # fmt: skip
_AMOUNTS: Final = (
    *(
        _line(load_amount=text)
        for text in (
            "", "$", "$.", "much", "$5", "$5.", "$5.0", "$5.000", "$.50", "5,00", "$1,000.00",
            "$1 000.00", "-5.00", "$-5.00", "-$5.00", "+5.00", "$+5.00", "\u20ac5.00", "EUR5.00",
            "5.00USD", "5.00$", "US$5.00", "$$5.00", "USDUSD5.00", "USD$USD5.00", "usd5.00",
            "$ 5.00", "USD 5.00", "$1e3.00", "$1_000.00", "$0x1F.00", "$5.00.00", "$5..00",
            "$1234567890123456.00", "1234567890123456.78", "$0000000000000001.00", "$5.0\u00b2",
            "$\u0661.00", "$\uff15.00", "$5.00\u00a0", "NaN", "$5.00\x00",
        )
    ),
    _line(load_amount="free", time="2000-01-01T00:00:00.5+01:00"),
)  # fmt: skip

UNREADABLE: Final[tuple[bytes, ...]] = (
    *_NOT_JSON,
    *_NOT_STRICT,
    *_WRONG_TYPES,
    *_IDS,
    *_TIMES,
    *_AMOUNTS,
)
"""Lines without line ends, each unreadable in a different way."""

BLANK: Final = (b"", b" ", b"\t", b" \t  ", b"\r", b" \r ")
"""Blank lines, which produce no output."""


def long_line(size: int, identifier: str) -> bytes:
    """Return a valid line with this id, filled up to ``size`` bytes."""
    line = _line(id=identifier)
    fill = size - len(line) - len(b',"fill":""')
    return line[:-1] + b',"fill":"' + b"x" * fill + b'"}'


def longest_lines(identifier: str) -> tuple[bytes, bytes]:
    """Return a line of the maximum length, and one that is a byte too long."""
    return long_line(MAX_LINE_BYTES, identifier), long_line(MAX_LINE_BYTES + 1, identifier)
