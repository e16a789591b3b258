"""Which ids are prime."""

from __future__ import annotations

# With these bases the Miller-Rabin test is exact below 3.3 * 10**24 (Sorenson and Webster, 2015).
_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_MAX_SIGNIFICANT_DIGITS = 18


def is_prime_id(digits: str) -> bool:
    """Say whether an id is prime: never with more than 18 digits after its leading zeros."""
    significant = digits.lstrip("0")
    if significant == "" or len(significant) > _MAX_SIGNIFICANT_DIGITS:
        return False
    return is_prime(int(significant))


def is_prime(number: int) -> bool:
    """Say whether `number`, below 10**18, is prime."""
    if number < 2:
        return False
    for base in _BASES:
        if number % base == 0:
            return number == base
    return not any(_proves_composite(base, number) for base in _BASES)


def _proves_composite(base: int, number: int) -> bool:
    """One round: for a prime, base**odd is 1, or some squaring of it on the way up is -1."""
    odd, squarings = number - 1, 0
    while odd % 2 == 0:
        odd //= 2
        squarings += 1
    power = pow(base, odd, number)
    if power == 1:
        return False
    for _ in range(squarings):
        if power == number - 1:
            return False
        power = power * power % number
    return True
