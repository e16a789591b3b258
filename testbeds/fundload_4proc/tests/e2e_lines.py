"""Lines that cannot be read, of every kind in the specification, each with its reason."""

from __future__ import annotations

from fundload_reference import MAX_LINE_BYTES
from reference_bench import load, without

ODD_SPACE = "\u00a0"
ARABIC_SEVEN = "\u0667"

_GOOD = load()
_NO_JSON = [
    b"{",
    b"no json",
    b"[1]",
    b"17",
    b"null",
    _GOOD[:-1],
    _GOOD + b"x",
    _GOOD + _GOOD,
    _GOOD[:-1] + b",}",
    _GOOD[:-1] + b',"x":NaN}',
    _GOOD[:-1] + b',"x":Infinity}',
    _GOOD[:-1] + b',"x":-Infinity}',
    _GOOD[:-1] + b',"x":01}',
    _GOOD[:-1] + b',"x":"\xff"}',
    _GOOD[:-1] + b',"x":"\xed\xa0\x80"}',
    _GOOD[:-1] + b',"x":"\xc0\xaf"}',
    _GOOD[:-1] + b',"x":"\\ud800"}',
    _GOOD[:-1] + b',"x":"\\udc00\\ud800"}',
    _GOOD[:-1] + b',"x":"\t"}',
    _GOOD[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b"\xff\xfe",
    b"\x00",
    b"\x0b",
    ODD_SPACE.encode(),
    b"\xef\xbb\xbf" + _GOOD,
    _GOOD.decode().encode("utf-16-le").replace(b"\n", b""),
    load(note="x" * (MAX_LINE_BYTES + 1 - len(load(note="")))),
]
_NO_ID: list[object] = [None, True, 1.0, -1.5, [], {}, ["1"], {"id": "1"}]
_NO_TEXT: list[object] = [None, True, 100, 1.0, [], {}, ["$1.00"]]
_WRONG_FIELDS = [
    *(without(key) for key in ("id", "customer_id", "load_amount", "time")),
    *(load(id=value) for value in _NO_ID),
    *(load(customer=value) for value in _NO_ID),
    *(load(amount=value) for value in _NO_TEXT),
    *(load(time=value) for value in _NO_TEXT),
    load(id=1).replace(b'"id": 1', b'"id": 1e3'),
    load()[:-1] + b',"id":null}',
    load(id="x", time=None),
]
_IDS = ["", " ", "x", "-1", "+1", "1.0", "1e3", "1 2", "0x1", "9" * 41, ARABIC_SEVEN, "\uff11"]
_BAD_IDS = [
    *(load(id=value) for value in [*_IDS, -1, 10**40, "1" + ODD_SPACE]),
    *(load(customer=value) for value in [*_IDS, -1, 10**40]),
    load(id="x", time="x", amount="x"),
]
_BAD_TIMES = [
    load(time=value)
    for value in (
        *("", "x", "2000-01-04", "2000-01-04T12:00:00", "2000-01-04 12:00:00Z"),
        *("2000-02-30T12:00:00Z", "2001-02-29T12:00:00Z", "2000-13-01T12:00:00Z"),
        *("2000-01-04T24:00:00Z", "2000-01-04T12:60:00Z", "2000-01-04T12:00:60Z"),
        *("2000-01-04T12:00:00.1234567Z", "2000-01-04T12:00:00.Z", "2000-01-04T12:00:00,1Z"),
        *("2000-01-04T12:00:00+24:00", "2000-01-04T12:00:00+0100", "2000-01-04T12:00:00+01"),
        *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"),
        *("10000-01-01T00:00:00Z", f"200{ARABIC_SEVEN}-01-04T12:00:00Z"),
    )
]
_BAD_AMOUNTS = [
    load(amount=value)
    for value in (
        *("", "$", "x", "1", "$1", "$1.", "$.50", "$1.0", "$1.000", "$1,000.00", "1,00"),
        *("-1.00", "$-1.00", "-$1.00", "+1.00", "\u20ac1.00", "EUR1.00", "usd1.00", "1.00USD"),
        *("$$1.00", "USD$USD1.00", "$ 1.00", "$1e2.00", "$1234567890123456.00", "NaN"),
        *(f"${ARABIC_SEVEN}.00", f"$1.00{ODD_SPACE}"),
    )
]

UNREADABLE: list[tuple[bytes, str]] = [
    *((line, "INPUT_PARSE_ERROR") for line in _NO_JSON + _WRONG_FIELDS),
    *((line, "INVALID_ID_FORMAT") for line in _BAD_IDS),
    *((line, "INVALID_TIMESTAMP") for line in _BAD_TIMES),
    *((line, "INVALID_AMOUNT_FORMAT") for line in _BAD_AMOUNTS),
    (load(time="x", amount="x"), "INVALID_TIMESTAMP"),
]
"""Lines without their ends."""
