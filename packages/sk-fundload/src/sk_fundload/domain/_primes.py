"""Exact tests for prime numbers of up to 18 digits."""

from __future__ import annotations

from math import gcd, isqrt, prod
from typing import Final

from sk_fundload.domain._digits import LEADING_ZERO, read_digits

_SMALL: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)
_PRODUCT: Final = prod(_SMALL)  # below 2**60: CPython's gcd takes its fast path
_SIEVED: Final = 53 * 53  # a number below this without a small prime factor is prime

# The Miller-Rabin test with these bases is exact below these bounds (Jaeschke 1993;
# oeis.org/A014233; the last: J. Sinclair 2011, miller-rabin.appspot.com).
_TIERS: Final = (
    (9_080_191, (31, 73)),
    (4_759_123_141, (2, 7, 61)),
    (1_122_004_669_633, (2, 13, 23, 1_662_803)),
    (2_152_302_898_747, (2, 3, 5, 7, 11)),
    (3_474_749_660_383, (2, 3, 5, 7, 11, 13)),
    (341_550_071_728_321, (2, 3, 5, 7, 11, 13, 17)),
    (2**64, (2, 325, 9375, 28178, 450775, 9780504, 1795265022)),
)
_EXACT_BELOW: Final = 10**18
_LIMIT: Final = 10_000_000  # of the table in PrimeIds


def is_prime_id(identifier: str) -> bool:
    """Whether the integer value of an id (ASCII digits) is a prime number.

    Exact for at most 18 significant digits (leading zeros do not count); longer ids are never
    prime by this rule.
    """
    if identifier[-1] in "024568":  # most ids: decided without their value
        return identifier.lstrip("0") in ("2", "5")
    number = int(identifier)
    return number < _EXACT_BELOW and is_prime(number)


def is_prime(number: int) -> bool:
    """Whether ``number`` is prime; exact below 2**64.

    :raises ValueError: if the number is too large for an exact answer.
    """
    if number <= _SMALL[-1]:
        return number in _SMALL
    if gcd(number, _PRODUCT) != 1:
        return False
    if number < _SIEVED:
        return True
    for bound, bases in _TIERS:
        if number < bound:
            return _no_witness(number, bases)
    raise ValueError(f"{number} is too large: is_prime is exact below {_TIERS[-1][0]}")


def _no_witness(number: int, bases: tuple[int, ...]) -> bool:
    """Miller-Rabin: whether none of the bases proves the odd ``number`` composite."""
    last = number - 1
    twos = (last & -last).bit_length() - 1
    odd = last >> twos
    for base in bases:
        power = pow(base, odd, number)
        if power == 1 or power == last:
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == last:
                break
        else:
            return False
    return True


class PrimeIds:
    """`is_prime_id` for many ids: after many calls it builds a table of primes.

    The table (5 MB) is built when the calls so far have cost about as much as building it, so that
    a short run never pays for it and a long one pays at most twice.
    """

    __slots__ = ("_asked", "_odd")

    LIMIT: Final = _LIMIT
    WORTH: Final = 50_000

    def __init__(self) -> None:
        self._asked = 0
        self._odd: bytearray | None = None

    def contains(self, identifier: str) -> bool:
        """Return the same as `is_prime_id`."""
        last = identifier[-1]
        if last in "0468":
            return False
        if last in "25":
            return identifier.lstrip("0") == last
        try:
            number = read_digits(identifier)
        except LEADING_ZERO:
            number = int(identifier)
        odd = self._odd
        if number >= _LIMIT:
            return number < _EXACT_BELOW and is_prime(number)
        if odd is not None:
            return odd[number >> 1] == 1
        self._asked += 1
        if self._asked >= self.WORTH:
            self._odd = _odd_primes(_LIMIT)
        return is_prime(number)


def _odd_primes(limit: int) -> bytearray:
    """Sieve the odd numbers below ``limit``: item ``n >> 1`` is 1 if ``n`` is prime, else 0."""
    size = limit // 2
    odd = bytearray(b"\x01") * size
    odd[0] = 0
    for n in range(3, isqrt(limit) + 1, 2):
        if odd[n >> 1]:
            odd[n * n >> 1 :: n] = bytes(len(range(n * n >> 1, size, n)))
    return odd
