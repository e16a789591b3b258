"""Strict JSON."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_fundload.domain import MAX_DEPTH
from sk_fundload.domain._strict_json import IntegerText, NotStrictJsonError, load_strict

PLAIN = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
JUNK = st.binary(max_size=6) | st.sampled_from(
    [
        b"\\ud800",
        b"\\udc00",
        b"\\ud83d\\ude00",
        b"\\",
        b'"',
        b"[",
        b"}",
        b",",
        b"\xff",
        b"NaN",
        b"01",
    ]
)


def accepted(data: bytes) -> bool:
    try:
        load_strict(data)
    except NotStrictJsonError:
        return False
    return True


@given(PLAIN, st.booleans())
def test_what_json_writes_is_read_back(value: object, ascii_only: bool) -> None:
    assert load_strict(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(PLAIN, JUNK, st.data())
def test_it_accepts_what_another_strict_reader_accepts(
    value: object, junk: bytes, data: st.DataObject
) -> None:
    text = json.dumps({"k": value}, ensure_ascii=data.draw(st.booleans())).encode()
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + junk + text[at:]
    try:
        msgspec.json.decode(text)
        expected = True
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        expected = "out of range" in str(error)
    assert accepted(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" ", b"{", b"[1,]", b'{"a":1,}', b"{1:2}", b"nul", b"1 2", b"'a'", b'{"a" 1}'),
        *(b"NaN", b"Infinity", b"-Infinity", b"01", b"-01", b"+1", b".5", b"1.", b"1e", b"0x1"),
        *(
            b'"\xff"',
            b'"\xc0\x80"',
            b'"\xed\xa0\x80"',
            b"\xef\xbb\xbf1",
            b'"\x01"',
            b'"\t"',
            b"\x0b1",
        ),
        *(b'"\\ud800"', b'"\\udfff"', b'"\\udc00\\ud800"', b'"\\ud800\\ud800\\udc00"', b'"\\x41"'),
        *(b'{"\\ud800":1}', b'{"a":"\\ud800","a":1}', b'"\\u12"', b'"\\', b"\xc2\xa01"),
    ],
)
def test_what_rfc_8259_does_not_allow_is_refused(text: bytes) -> None:
    assert not accepted(text)


@pytest.mark.parametrize(
    "text", [b'"\\ud83d\\ude00"', b'"\\\\ud800"', b'"\\\\\\ud83d\\ude00"', b'"\\u0000"', b'"\x7f"']
)
def test_escapes_that_look_like_lone_surrogates_are_not(text: bytes) -> None:
    assert accepted(text)


def test_numbers_are_neither_rounded_nor_refused_for_their_size() -> None:
    read = load_strict(b"[1e999," + b"9" * 5_000 + b",-0,0." + b"1" * 5_000 + b"]")
    assert read[1] == "9" * 5_000
    assert isinstance(read[1], IntegerText)
    assert read[2] == "-0"


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert load_strict(b'{"a":"1","b":"2","a":"3"}') == {"a": "3", "b": "2"}


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_bounded_by_a_stated_depth(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return opening * depth + (b"1" if closing == b"}" else b"") + closing * depth

    assert accepted(nested(MAX_DEPTH))
    assert not accepted(nested(MAX_DEPTH + 1))
    assert not accepted(nested(100_000))


def test_brackets_in_strings_and_side_by_side_are_not_depth() -> None:
    assert accepted(b"[" + b'"[[{{\\"[["' + b',"[{"' * 2_000 + b"]")
    assert accepted(b"[" + b"[]," * 2_000 + b"[]]")


@pytest.mark.parametrize(
    "text", [b'"' + b"\\" * 1_000_001, b'["' + b'\\"' * 500_000, b"[" * 1_000_000]
)
def test_a_hostile_megabyte_is_refused_in_linear_time(text: bytes) -> None:
    assert not accepted(text)
    assert not accepted(b"[" * 600 + text)
