"""Prime numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_fundload.domain import PrimeIds, is_prime, is_prime_id

# Strong pseudoprimes: composite, and no witness among the first bases (oeis.org/A014233), or to 31
# and 73, to 2, 7 and 61, to 2, 13, 23 and 1 662 803 alone.
LIARS = (
    2_047,
    1_373_653,
    25_326_001,
    3_215_031_751,
    2_152_302_898_747,
    3_474_749_660_383,
    341_550_071_728_321,
    3_825_123_056_546_413_051,
    9_080_191,
    4_759_123_141,
    1_122_004_669_633,
)
# Miller-Rabin with these is exact below the largest of the above.
FIRST_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23)


def by_division(limit: int) -> set[int]:
    sieve = [True] * limit
    for n in range(2, limit):
        if sieve[n]:
            sieve[n * n :: n] = [False] * len(range(n * n, limit, n))
    return {n for n in range(2, limit) if sieve[n]}


def test_the_first_hundred_thousand_numbers_are_judged_right() -> None:
    limit = 100_000
    assert {n for n in range(limit) if is_prime(n)} == by_division(limit)


@pytest.mark.parametrize("number", LIARS)
def test_strong_pseudoprimes_are_not_prime(number: int) -> None:
    assert not is_prime(number)


@pytest.mark.parametrize(
    "number", [999_999_999_999_999_989, 9_080_189, 4_759_123_129, 2**31 - 1, 67_280_421_310_721]
)
def test_large_primes_are_prime(number: int) -> None:
    assert is_prime(number)


def by_the_first_primes(number: int) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in FIRST_PRIMES:
        powers = [pow(base, odd << n, number) for n in range(twos)]
        if powers[0] != 1 and number - 1 not in powers:
            return False
    return True


@given(st.integers(15, 59).flatmap(lambda bits: st.integers(1 << bits, 2 << bits)))
def test_few_bases_judge_as_many_do(above: int) -> None:
    for number in range(above | 1, above + 100, 2):
        assert is_prime(number) is by_the_first_primes(number)


@given(st.integers(2, 10**9 - 1), st.integers(2, 10**9 - 1))
def test_a_product_is_not_prime(first: int, second: int) -> None:
    assert not is_prime(first * second)


def test_a_number_too_large_to_be_sure_of_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        is_prime(2**64 + 13)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        *(("0", False), ("1", False), ("2", True), ("5", True), ("7", True), ("9", False)),
        *(("02", True), ("0002", True), ("25", False), ("12", False), ("15", False)),
        *(("00", False), ("007", True), ("2809", False), ("0" * 39 + "7", True)),
        ("999999999999999989", True),
        ("0" * 22 + "999999999999999989", True),
        ("1000000000000000003", False),  # a prime of 19 digits
        ("9" * 40, False),
    ],
)
def test_an_id_s_integer_value_is_judged(identifier: str, expected: bool) -> None:
    assert is_prime_id(identifier) is expected
    assert PrimeIds().contains(identifier) is expected


def test_the_table_judges_as_the_test_does() -> None:
    primes = PrimeIds()
    limit = PrimeIds.LIMIT
    for _ in range(PrimeIds.WORTH):
        primes.contains("7")
    assert primes._odd is not None
    for start in (0, 1_000_000, limit - 5_000):
        for number in range(start, start + 10_000):
            assert primes.contains(str(number)) is is_prime(number)
