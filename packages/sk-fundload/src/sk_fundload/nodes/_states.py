"""The states: what outlives a record, and the key that each is partitioned by."""

from __future__ import annotations

from sk_kernel import state

from sk_fundload.domain import DayWindow, FirstAttempt


@state(key="id")
class FirstAttempts:
    """The first attempt with each id."""

    def __init__(self) -> None:
        self.by_id: dict[str, FirstAttempt] = {}


@state(key="customer_id")
class CustomerWindows:
    """The windows of each customer. ``update_windows`` alone writes here.

    ``days`` holds them by UTC day, then by customer; ``weeks`` the accepted cents (effective) by a
    week's first day, then by customer. Input comes about in the order of time, so that what it
    touches lies together, and the processor finds it in its cache however many days there are.
    """

    def __init__(self) -> None:
        self.days: dict[int, dict[str, DayWindow]] = {}
        self.weeks: dict[int, dict[str, int]] = {}


@state(key=None)
class PrimeDays:
    """How many prime ids were accepted on each UTC day, over all customers."""

    def __init__(self) -> None:
        self.by_day: dict[int, int] = {}
