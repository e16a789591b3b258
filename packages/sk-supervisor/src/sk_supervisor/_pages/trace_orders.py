"""The orders of a list of traces. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Order(NamedTuple):
    """An order of traces: in SQL, in words, and a description of the first trace in it."""

    sql: str
    told: str
    first: str


ORDERS: Final[Mapping[str, Order]] = {
    "failed": Order(
        "errors > 0 desc, end_ns - start_ns desc", "failed first, then the longest", "the longest"
    ),
    "total": Order("end_ns - start_ns desc", "the longest first", "the longest"),
    "busy": Order("busy_ns desc", "the busiest first", "the busiest"),
    "start": Order("start_ns", "as they began", "the first that began"),
}
"""The orders, by name."""
