"""What is told of requests and replies: counters and diagnostic events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from sk_kernel._record.boundary import TerminalStatus

Ending = Literal["completed", "cancelled", "expired"]
"""How a request ends: with a reply or an error, by its caller, or by its time."""

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
    """What became of the requests so far.

    ``registered`` is ``completed + cancelled + expired + in_flight``. Completed requests have the
    outcome ``success``, except ``failed`` of them, which have ``error``. Expired ones have the
    outcome ``timeout``: nothing came in time, or a worker has said that nothing will. ``refused``
    were never registered. A further terminal is a duplicate if a terminal has ended its request,
    and late if the request has ended otherwise, or nobody knows of it any more. ``unfinished`` have
    ended too, but the nodes have not done with them: they count as those in flight do when it is
    said whether one more may be.
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
        """How many requests had each outcome, and how many were refused: those had none."""
        return {
            "success": self.completed - self.failed,
            "error": self.failed,
            "timeout": self.expired,
            "cancelled": self.cancelled,
            "refused": self.refused,
        }


class ReplyEvent(msgspec.Struct, frozen=True):
    """A step in the life of a request, for diagnostics: no payload, no ``reply_to``, no error text.

    ``trace_id`` is the caller's own; it is empty where nobody knows any more whose a late terminal
    was. ``status`` is that of the outcome, where there is one. Who has one while the nodes go on is
    ``released`` when they have done with it.
    """

    name: ReplyEventName
    trace_id: str
    status: TerminalStatus | None = None
