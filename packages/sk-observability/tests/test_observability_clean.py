"""What gets into the fields of an event."""

from __future__ import annotations

import json
import math
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_observability._events.clean import MAX_TEXT_BYTES, clean_fields


class SecretText(str):
    """A secret that is a text besides."""


class Token(SecretText):
    """A secret by its base."""


class Colour(StrEnum):
    """An enum of texts."""

    RED = "red"


class Number(IntEnum):
    """An enum of integers."""

    ONE = 1


ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs", "L"]))
    | st.binary()
    | st.lists(st.integers())
    | st.complex_numbers()
)


@given(st.dictionaries(st.text(st.characters()), ANYTHING))
def test_whatever_the_fields_are_the_result_is_a_flat_object_of_strict_json(
    fields: dict[str, Any],
) -> None:
    clean = clean_fields(fields)
    text = json.dumps(clean, allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert json.loads(text) == clean
    assert all(isinstance(value, (str, int, float, bool, type(None))) for value in clean.values())


@pytest.mark.parametrize(
    "value", ["text", "größe", "", 0, -(2**63), 2**64 - 1, 1.5, True, False, None], ids=repr
)
def test_a_scalar_of_json_stays_as_it_is(value: object) -> None:
    clean = clean_fields({"it": value})["it"]
    assert (clean, type(clean)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"bytes", "bytes"),
        ([1], "list"),
        (ValueError("the payload"), "ValueError"),
        (math.nan, "float"),
        (math.inf, "float"),
        (2**64, "int"),
        (object(), "object"),
    ],
    ids=["bytes", "list", "exception", "nan", "infinity", "long integer", "object"],
)
def test_any_other_value_becomes_the_name_of_its_type(value: object, name: str) -> None:
    assert clean_fields({"it": value}) == {"it": name}


@pytest.mark.parametrize("value", [SecretText("s3cr3t"), Token("s3cr3t")], ids=["own", "base"])
def test_a_secret_is_never_shown_even_if_it_is_a_text(value: str) -> None:
    assert clean_fields({"it": value}) == {"it": type(value).__name__}


@pytest.mark.parametrize(("value", "plain"), [(Colour.RED, "red"), (Number.ONE, 1)])
def test_a_member_of_an_enum_becomes_its_plain_value(value: object, plain: object) -> None:
    clean = clean_fields({"it": value})["it"]
    assert (clean, type(clean)) == (plain, type(plain))


@given(st.text(st.sampled_from("aß\u2026\U0001f600"), min_size=400, max_size=3000))
def test_a_long_text_is_cut_to_two_kibibytes_between_characters(text: str) -> None:
    clean = clean_fields({"it": text})["it"]
    assert isinstance(clean, str)
    assert len(clean.encode()) <= MAX_TEXT_BYTES == 2048
    if clean != text:
        assert clean.endswith("\u2026")
        assert text.startswith(clean[:-1])
        assert len(clean.encode()) > MAX_TEXT_BYTES - 4  # no more is cut than must be


@pytest.mark.parametrize(
    ("length", "text"),
    [(2048, "a" * 2048), (2049, "a" * 2045 + "\u2026")],
    ids=["fits", "too long"],
)
def test_only_what_is_longer_than_two_kibibytes_is_cut(length: int, text: str) -> None:
    assert clean_fields({"it": "a" * length}) == {"it": text}
