"""Which ids are prime, exactly, up to 18 significant digits."""

from __future__ import annotations

import pytest
from fundload_reference import is_prime
from hypothesis import given
from hypothesis import strategies as st
from reference_bench import load, reasons

CAPPED = "$9999.01"


def counts_as_prime(id_text: str) -> bool:
    """Ask by the one thing that only a prime id is told."""
    (told,) = reasons(load(id=id_text, amount=CAPPED), rules="exp_mp")
    return told == "PRIME_AMOUNT_CAP"


def test_it_agrees_with_a_sieve() -> None:
    limit = 100_000
    sieve = [False, False] + [True] * (limit - 2)
    for number in range(2, limit):
        if sieve[number]:
            sieve[number * number :: number] = [False] * len(sieve[number * number :: number])
    assert [is_prime(number) for number in range(limit)] == sieve


@pytest.mark.parametrize(
    "composite",
    [
        561,  # the smallest Carmichael number
        2_047,  # strong pseudoprimes to the first 1, 2, 3, ... prime bases
        1_373_653,
        25_326_001,
        3_215_031_751,
        2_152_302_898_747,
        3_474_749_660_383,
        341_550_071_728_321,
        999_999_937 * 999_999_937,
        999_999_937 * 999_999_929,
        10**18 - 1,
    ],
)
def test_composites_that_look_prime_are_not(composite: int) -> None:
    assert not is_prime(composite)


@pytest.mark.parametrize(
    "prime", [2, 3, 37, 41, 2**31 - 1, 999_999_937, 999_999_999_989, 10**18 - 11, 10**17 + 3]
)
def test_known_primes_are(prime: int) -> None:
    assert is_prime(prime)


@given(st.integers(2, 10**9 - 1), st.integers(2, 10**9 - 1))
def test_no_product_is_prime(left: int, right: int) -> None:
    assert not is_prime(left * right)


@pytest.mark.parametrize(
    ("id_text", "prime"),
    [
        ("0", False),
        ("00", False),
        ("1", False),
        ("2", True),
        ("4", False),
        ("007", True),
        ("0" * 39 + "7", True),
        ("999999999999999989", True),  # 10**18 - 11, the largest of 18 digits
        ("0" * 22 + "999999999999999989", True),
        ("1000000000000000003", False),  # a prime of 19 digits
        ("2305843009213693951", False),  # 2**61 - 1
    ],
)
def test_an_id_is_prime_by_its_value_and_never_with_more_than_18_significant_digits(
    id_text: str, prime: bool
) -> None:
    assert counts_as_prime(id_text) is prime


def test_an_integer_id_is_prime_as_its_text_is() -> None:
    assert reasons(load(id=7, amount=CAPPED), rules="exp_mp") == ["PRIME_AMOUNT_CAP"]
