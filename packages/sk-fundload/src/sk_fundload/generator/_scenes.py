"""Scripted scenes: a few attempts each, mostly by new customers, that test the limits of a rule.

A scene takes the Monday after which it plays and returns its lines in order. The reference
implementation determines the decision for each line; the comments state what a scene tests.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from sk_fundload.generator._attempt import DAY, Attempt, plain_line, time_text, varied_line
from sk_fundload.generator._identities import Identities

HOUR: Final = 3_600
_YEAR_END: Final = 730_119 * DAY  # 2000-01-01, a Saturday
_LEAP_DAY: Final = _YEAR_END + 59 * DAY  # 2000-02-29, a Tuesday
_CALENDAR: Final = 3_652_059 * DAY


class Stage:
    """Makes the customers and attempts of scenes."""

    def __init__(self, rng: random.Random, identities: Identities) -> None:
        self.rng, self.identities = rng, identities

    def customer(self) -> str:
        """Return a customer without a history."""
        return self.identities.new_customer()

    def load(self, customer: str, cents: int, second: int, id_: str | None = None) -> Attempt:
        """Return an attempt, with a new id that is not prime unless ``id_`` is given."""
        return Attempt(id_ or self.identities.composite_id(), customer, cents, second)

    def prime(self, customer: str, cents: int, second: int) -> Attempt:
        """Return an attempt with a new prime id."""
        return self.load(customer, cents, second, self.identities.prime_id())


Scene = Callable[[Stage, int], list[str]]


def _plain(*attempts: Attempt) -> list[str]:
    return [plain_line(attempt) for attempt in attempts]


def _attempts(stage: Stage, monday: int) -> list[str]:
    """The fourth and fifth attempt of a day; a declined attempt counts as well."""
    customer, day = stage.customer(), monday + stage.rng.randrange(7) * DAY
    cents = (6_000_00, 1_00, 1_00, 1_00, 1_00)
    loads = [stage.load(customer, c, day + n * HOUR) for n, c in enumerate(cents)]
    return _plain(*loads, stage.load(customer, 1_00, day + DAY))


def _daily_limit(stage: Stage, monday: int) -> list[str]:
    """The daily limit in two loads, then a cent; the limit in one load, and a cent over it."""
    day = monday + stage.rng.randrange(1, 7) * DAY
    first, second, third = stage.customer(), stage.customer(), stage.customer()
    return _plain(
        stage.load(first, 2_000_00, day),
        stage.load(first, 3_000_00, day + DAY - 1),
        stage.load(first, 1, day + HOUR),
        stage.load(second, 5_000_00, day),
        stage.load(second, 0, day + 1),
        stage.load(third, 5_000_01, day),
    )


def _monday(stage: Stage, monday: int) -> list[str]:
    """The daily limit on a Monday, which may count double, and on the days around it."""
    first, second = stage.customer(), stage.customer()
    return _plain(
        stage.load(first, 2_500_00, monday),
        stage.load(first, 1, monday + DAY - 1),
        stage.load(second, 2_500_01, monday + HOUR),
        stage.load(second, 2_500_01, monday + DAY),
        stage.load(second, 2_500_01, monday - 1),
    )


def _weekly_limit(stage: Stage, monday: int) -> list[str]:
    """Exactly the weekly limit, a cent over it, and the first second of the next week."""
    customer = stage.customer()
    days = [monday + n * DAY + HOUR for n in range(1, 7)]
    return _plain(
        *(stage.load(customer, 5_000_00, day) for day in days[:4]),
        stage.load(customer, 1, days[4]),
        stage.load(customer, 1, monday + 7 * DAY - 1),
        stage.load(customer, 1_00, monday + 7 * DAY),
    )


def _year_end(stage: Stage, _monday: int) -> list[str]:
    """A week that spans two years, then a leap day and the day after it."""
    customer, midnight = stage.customer(), _YEAR_END
    return _plain(
        *(stage.load(customer, 5_000_00, midnight - n * DAY) for n in (4, 3, 2)),
        stage.load(customer, 4_999_99, midnight - 1),
        stage.load(customer, 1, midnight),
        stage.load(customer, 1, midnight + DAY),
        stage.load(customer, 1_00, midnight + 2 * DAY),
        stage.load(customer, 5_000_00, _LEAP_DAY),
        stage.load(customer, 5_000_00, _LEAP_DAY + DAY),
    )


def _zones(stage: Stage, monday: int) -> list[str]:
    """Times whose local date is not the UTC date, around a day at its limit."""
    customer, day = stage.customer(), monday + 3 * DAY
    full = stage.load(customer, 5_000_00, day + 12 * HOUR)
    lines = [plain_line(full)]
    for second, zone in ((day, -60), (day + DAY - 1, 60), (day + DAY, -60), (day - 1, 1_439)):
        attempt = stage.load(customer, 1_00, second)
        lines.append(plain_line(attempt).replace(time_text(second), time_text(second, zone)))
    return lines


def _late(stage: Stage, monday: int) -> list[str]:
    """Days out of order, in two weeks."""
    customer = stage.customer()
    days = (9, 1, 9, 2, 1, 3, 4, 1, 8)
    return _plain(*(stage.load(customer, 2_500_00, monday + n * DAY) for n in days))


def _replays(stage: Stage, monday: int) -> list[str]:
    """Replays, also in other notations; and every change that makes an attempt a different one."""
    customer, other = stage.customer(), stage.customer()
    first = stage.load(customer, 1_234_56, monday + DAY)
    declined = stage.load(customer, 9_999_99, monday + 2 * DAY)
    lines = _plain(first, first, declined, declined)
    lines += [varied_line(first, stage.rng) for _ in range(4)]
    lines += _plain(
        first._replace(cents=1_234_57),
        first._replace(customer_id=other),
        first._replace(customer_id="0" + customer),
        first._replace(second=first.second + 1),
        first._replace(id="0" + first.id),
        first._replace(id="00" + first.id),
    )
    moment = plain_line(first).replace("Z", ".000001Z")
    return [*lines, moment, *_plain(first)]


def _prime_pair(stage: Stage, monday: int) -> list[str]:
    """Several prime ids on one day, by different customers; a declined one does not count."""
    day = monday + stage.rng.randrange(1, 7) * DAY
    padded = stage.prime(stage.customer(), 1_00, day + 3)
    return _plain(
        stage.prime(stage.customer(), 5_000_01, day),
        stage.prime(stage.customer(), 1_00, day + 1),
        stage.prime(stage.customer(), 1_00, day + 2),
        padded._replace(id="000" + padded.id),
        stage.prime(stage.customer(), 1_00, day + DAY),
    )


def _prime_cap(stage: Stage, monday: int) -> list[str]:
    """The amount cap of prime ids, exactly and a cent over it, also on a Monday."""
    tuesday = monday + DAY
    return _plain(
        stage.prime(stage.customer(), 9_999_00, tuesday),
        stage.prime(stage.customer(), 9_999_01, tuesday),
        stage.prime(stage.customer(), 4_999_50, monday),
        stage.prime(stage.customer(), 4_999_51, monday),
        stage.load(stage.customer(), 9_999_01, tuesday),
    )


def _long_ids(stage: Stage, monday: int) -> list[str]:
    """Prime ids of 18 digits, and longer ids, which count as not prime even if they are prime."""
    number, day = stage.rng.randrange(10**17, 10**18), monday + 4 * DAY
    ids = (
        "999999999999999989",  # the largest prime of 18 digits
        "0000000000000000000000999999999999999989",
        "1000000000000000003",  # prime, but of 19 digits
        "9" * 40,
        f"{number}",
        f"{number:040d}",
    )
    return _plain(*(stage.load(stage.customer(), 1_00, day, id_) for id_ in ids))


def _small_ids(stage: Stage, monday: int) -> list[str]:
    """Small numbers as ids, some with leading zeros."""
    day = monday + 5 * DAY
    ids = ("0", "1", "2", "3", "4", "5", "9", "00", "01", "02", "007", "7", "0000000025", "2809")
    return _plain(*(stage.load(stage.customer(), 1_00, day, id_) for id_ in ids))


def _extremes(stage: Stage, _monday: int) -> list[str]:
    """The first and the last instant of the calendar, the smallest and the largest amount."""
    customer = stage.customer()
    last = stage.load(customer, 5_000_00, _CALENDAR - 1)
    return [
        *_plain(
            stage.load(customer, 0, 0),
            stage.load(customer, 5_000_00, 0),
            stage.load(customer, 99_999_999_999_999_999, DAY),
        ),
        plain_line(last).replace("Z", ".999999Z"),
        *_plain(stage.load("0", 1, _CALENDAR - DAY), stage.load("9" * 40, 1, _LEAP_DAY)),
    ]


SCENES: Final[tuple[Scene, ...]] = (
    _attempts,
    _daily_limit,
    _monday,
    _weekly_limit,
    _year_end,
    _zones,
    _late,
    _replays,
    _prime_pair,
    _prime_cap,
    _long_ids,
    _small_ids,
    _extremes,
)
"""Every scene. Some use fixed ids, which are duplicates when the scene is repeated."""
