"""The states: what outlives a record, and the key that each is partitioned by."""

from __future__ import annotations

from sk_kernel import state

from sk_fundload.domain import CustomerWindow, FirstAttempt


@state(key="id")
class FirstAttempts:
    """The first attempt with each id."""

    def __init__(self) -> None:
        self.by_id: dict[str, FirstAttempt] = {}


@state(key="customer_id")
class CustomerWindows:
    """The windows of each customer. ``update_windows`` alone writes here."""

    def __init__(self) -> None:
        self.by_customer: dict[str, CustomerWindow] = {}


@state(key=None)
class PrimeDays:
    """How many prime ids were accepted on each UTC day, over all customers."""

    def __init__(self) -> None:
        self.by_day: dict[int, int] = {}
