"""Counters and diagnostic events of requests and replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from sk_kernel._record.boundary import TerminalStatus

Ending = Literal["completed", "cancelled", "expired"]
"""How a request ends: completed by a reply or an error, cancelled by its caller, or timed out."""

ReplyEventName = Literal[
    "registered",
    "completed",
    "cancelled",
    "expired",
    "released",
    "duplicate_terminal",
    "late_reply_drop",
    "refused",
]


class ReplyCounters(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of the requests so far, by what became of them.

    ``registered`` is ``completed + cancelled + expired + in_flight``. Completed requests have the
    outcome ``success``, except ``failed`` of them, which have ``error``. Expired requests have the
    outcome ``timeout``: no reply came in time, or a worker reported that none will come. Rejected
    requests (``refused``) were never registered. A further terminal event counts as a duplicate if
    a terminal event has ended its request, and as late if the request ended otherwise or is no
    longer known. ``unfinished`` requests have ended, but nodes still work on them: they count
    towards ``max_in_flight``, like those in flight.
    """

    registered: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    duplicate_terminal: int = 0
    late_reply_drop: int = 0
    in_flight: int = 0
    refused: int = 0
    unfinished: int = 0

    def outcomes(self) -> Mapping[str, int]:
        """Return how many requests had each outcome, and how many were rejected without one."""
        return {
            "success": self.completed - self.failed,
            "error": self.failed,
            "timeout": self.expired,
            "cancelled": self.cancelled,
            "refused": self.refused,
        }


class ReplyEvent(msgspec.Struct, frozen=True):
    """A step of a request, for diagnostics: without payload, ``reply_to`` and error text.

    ``trace_id`` is the caller's own; it is empty for a late terminal event whose request is no
    longer known. ``status`` is that of the outcome, if there is one. A request that ends while
    nodes still work on it is ``released`` when they have finished.
    """

    name: ReplyEventName
    trace_id: str
    status: TerminalStatus | None = None
