"""Amounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_fundload.domain import MAX_CENTS, parse_cents


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("$3318.47", 331_847),
        ("USD3318.47", 331_847),
        ("USD$3318.47", 331_847),
        ("$USD3318.47", 331_847),
        ("3318.47", 331_847),
        ("0.00", 0),
        ("$000000000000001.00", 100),
        ("$999999999999999.99", MAX_CENTS),
        (" \t$1.00\r\n", 100),
    ],
)
def test_an_amount_is_read_with_each_prefix(text: str, cents: int) -> None:
    assert parse_cents(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        *("", "$", "$5", "$5.0", "$5.000", "$.50", "5,00", "$1,000.00", "-5.00", "$-5.00", "+5.00"),
        *(
            "$$5.00",
            "usd5.00",
            "US$5.00",
            "USD USD5.00",
            "$ 5.00",
            "5.00$",
            "\u20ac5.00",
            "$1e3.00",
        ),
        *("$1234567890123456.00", "$0000000000000001.00", "$5.0\u00b2", "$\u0661.00", "5.00\n5.00"),
        *("$1_000.00", "\u00a05.00", "$5.00\x0b", "$5.00.00", "5.00\x00"),
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    assert parse_cents(text) is None


@given(st.integers(0, MAX_CENTS), st.sampled_from(("", "$", "USD", "USD$", "$USD")))
def test_every_amount_that_is_written_is_read_exactly(cents: int, prefix: str) -> None:
    assert parse_cents(f"{prefix}{cents // 100}.{cents % 100:02d}") == cents
