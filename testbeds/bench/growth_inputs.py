"""Inputs that fill one state of fund load and hardly any other."""

from __future__ import annotations

from collections.abc import Iterator

DAYS = 10
"""Consecutive days that every customer comes on, in the input by that name."""
_LINE = '{{"id":"{}","customer_id":"{}","load_amount":"$1.00","time":"2001-01-{:02}T00:00:00Z"}}\n'


def lines(made_of: str, records: int) -> Iterator[str]:
    """Give so many lines: each with an ``id`` of its own, all else as told by ``made_of``.

    ``id``: one customer, one day. ``customer``: each another customer, one day. ``day``: each
    customer on so many `DAYS`, day after day.

    :raises ValueError: when it is none of these, or records are too few for the days.
    """
    if made_of not in ("id", "customer", "day") or records < DAYS:
        raise ValueError(f"no input of {records} records is made of {made_of!r}")
    customers = {"id": 1, "customer": records, "day": customers_of_days(records)}[made_of]
    for number in range(records):
        day = min(number // customers, DAYS - 1) if made_of == "day" else 0
        yield _LINE.format(number + 1, number % customers + 1, day + 1)


def customers_of_days(records: int) -> int:
    """How many customers the input ``day`` has."""
    return records // DAYS
