"""Ids."""

from __future__ import annotations

import pytest
from sk_fundload.domain import parse_id


@pytest.mark.parametrize("text", ["0", "7", "007", "9" * 40, "0" * 40])
def test_an_id_is_kept_as_text(text: str) -> None:
    assert parse_id(text) == text


def test_white_space_at_the_ends_is_dropped() -> None:
    assert parse_id(" \t15 \r\n") == "15"


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "abc", "-5", "+5", "1.0", "1 2", "1_0", "9" * 41, "5\x00", "5\n5", "5\u00a0"),
        *("\u0661\u0662", "\uff11", "\u00b2", "\u2460", "\x0b5", "5\x0c", "\u20035", "5\u2028"),
    ],
)
def test_only_ascii_digits_up_to_40_make_an_id(text: str) -> None:
    assert parse_id(text) is None
