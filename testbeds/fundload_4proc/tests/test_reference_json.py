"""The reference's own JSON reader: what RFC 8259 has, and nothing else."""

from __future__ import annotations

import json

import pytest
from fundload_reference import MAX_DEPTH, Json, JsonError, Number, parse_json
from hypothesis import given
from hypothesis import strategies as st

GOOD = [
    (b"{}", {}),
    (b"[]", []),
    (
        b' \t\r\n{ "a" : [ 1 , true , false , null ] } \r\n',
        {"a": [Number("1", True), True, False, None]},
    ),
    (b'{"a":1,"a":"b"}', {"a": "b"}),
    (b'{"\\u0061":1,"a":2}', {"a": Number("2", True)}),
    (b'{"":{"":[]}}', {"": {"": []}}),
    (b'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\u00E9"', '"\\/\b\f\n\r\t\x00éé'),
    (b'"\\ud83d\\ude00"', "\U0001f600"),
    ('"é\u2028\x7f\U0001f600"'.encode(), "é\u2028\x7f\U0001f600"),
    (b"0", Number("0", True)),
    (b"-0", Number("-0", True)),
    (b"-0.0", Number("-0.0", False)),
    (b"1e999", Number("1e999", False)),
    (b"1E+2", Number("1E+2", False)),
    (b"1.0", Number("1.0", False)),
    pytest.param(b"1" * 10_000, Number("1" * 10_000, True), id="10000 digits"),
]

BAD = [
    b"", b" ", b"{", b"}", b"[", b"]", b'"', b"{]", b"[}", b"tru", b"True", b"nul", b"truefalse",
    b"NaN", b"Infinity", b"-Infinity", b"+1", b"01", b"-01", b"00", b"-", b".5", b"5.", b"1e",
    b"1e+", b"0x1", b"1_0", "\u0661".encode(), "\uff11".encode(),
    b"[1,]", b"[,1]", b"[1 2]", b"[1,,2]", b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,}', b"{1:2}",
    b'{a:1}', b"{'a':1}", b'{"a" 1}', b'{"a":1 "b":2}', b'{"a":1]', b'["a":1]',
    b"{}{}", b"{} x", b"{},", b"[]]", b"1 2", b"// x\n1", b"/**/1",
    b'"a\nb"', b'"a\tb"', b'"\x00"', b'"\x1f"', b'"\\x"', b'"\\u12"', b'"\\u12g4"', b'"\\u+123"',
    b'"\\u 123"', b'"\\u1_23"', b'"\\U0041"', b'"\\', b'"\\u', b'"\\"', b"'a'",
    b'"\\ud800"', b'"\\ud800x"', b'"\\ud800\\n"', b'"\\ud800\\u0041"', b'"\\ud800\\ud800"',
    b'"\\udc00"', b'"\\udc00\\ud800"', b'"\\ud800', b'"\\ud800\\u"', b'"\\ud800\\udc0"',
    b"\xff", b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xc3"',
    b"\xef\xbb\xbf{}", b"\xa0{}", "\u00a0{}".encode(), b"\x0b{}", b"\x0c{}", b"{}\x00",
]  # fmt: skip


@pytest.mark.parametrize(("data", "value"), GOOD)
def test_json_is_read(data: bytes, value: Json) -> None:
    assert parse_json(data) == value


@pytest.mark.parametrize("data", BAD)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(JsonError):
        parse_json(data)


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + closing * depth


def test_the_deepest_nesting_allowed_is_read() -> None:
    value = parse_json(nested(MAX_DEPTH))
    depth = 0
    while isinstance(value, list):
        value = value[0] if value else None
        depth += 1
    assert depth == MAX_DEPTH


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100_000, 500_000])
def test_deeper_nesting_is_refused(depth: int) -> None:
    with pytest.raises(JsonError, match="nested too deep"):
        parse_json(nested(depth))


def test_objects_count_as_nesting_too() -> None:
    parse_json(nested(MAX_DEPTH - 1, b'{"a":', b"}").replace(b":}", b":0}", 1))
    with pytest.raises(JsonError, match="nested too deep"):
        parse_json(nested(MAX_DEPTH + 1, b'{"a":', b"}").replace(b":}", b":0}", 1))


def test_neighbours_do_not_count_as_nesting() -> None:
    assert parse_json(b"[" + b"[]," * MAX_DEPTH + b"[]]") == [[]] * (MAX_DEPTH + 1)


TEXT = st.text()  # of characters that UTF-8 has: no surrogates
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20
)
# Every byte that means something to JSON, some that do not, and the starts of what it knows.
PUNCTUATION = [bytes([char]) for char in b'{}[]:,"\\ \t\n\r01-+.eE/x\x00\x1f\x7f']
WORDS = [b"true", b"null", b"NaN", b'"a"', b'"id":', b"12", b"\xc3\xa9", b"\xff"]
ESCAPES = [b"\\u00e9", b"\\ud83d", b"\\ude00"]
PIECES = st.sampled_from(PUNCTUATION + WORDS + ESCAPES)


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_what_another_writer_wrote_is_read_back(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert plain(parse_json(text)) == value


@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_it_accepts_what_the_strictest_use_of_another_reader_accepts(data: bytes) -> None:
    assert accepted_here(data) == accepted_by_the_standard_library(data)


def plain(value: Json) -> object:
    """Turn numbers into Python's, as the standard library reads them."""
    if isinstance(value, Number):
        return int(value.text) if value.is_integer else float(value.text)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def accepted_here(data: bytes) -> bool:
    try:
        parse_json(data)
    except JsonError:
        return False
    return True


def accepted_by_the_standard_library(data: bytes) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        text = data.decode("utf-8")
        # Decoding a string keeps lone surrogates, which no UTF-8 can be written of.
        json.dumps(json.loads(text, parse_constant=refuse), ensure_ascii=False).encode("utf-8")
    except ValueError:
        return False
    return True
