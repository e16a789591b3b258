"""The evidence of a worker's failure: for the event, the error and the message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sk_supervisor._lives.judgement import Counts
from sk_supervisor._lives.vitals import Vitals
from sk_supervisor.errors import AtHand

if TYPE_CHECKING:  # a memory run imports this module, and does not need the control plane
    from sk_control import Failed

#: A text of an event holds up to 2048 bytes; the last lines are the most useful.
_TAIL_BYTES: Final = 2000
_CUT: Final = "\u2026"


@dataclass(frozen=True, slots=True)
class Breakage:
    """The reason why a worker counts as failed."""

    category: str
    message: str = ""
    node: str = ""
    cause_type: str = ""
    told: bool = False
    """Whether the worker reported it itself; then its last lines are no evidence."""
    trace_id: str = ""
    """The trace of the record at fault, if there is one."""

    @classmethod
    def said(cls, failed: Failed) -> Breakage:
        """The failure that the worker itself has reported."""
        return cls(
            failed.category,
            failed.message,
            failed.node,
            failed.cause_type,
            told=True,
            trace_id=failed.trace_id,
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """The state in which a failed worker was found."""

    ended: str = ""
    """How its process ended; empty if it had not ended."""
    stderr_tail: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)
    """Its last reported progress."""
    vitals: Vitals | None = None
    """What it was doing, if it was silent or stuck."""
    position: str = ""
    """The node and the line in its last reported progress."""
    at_hand: AtHand | None = None
    """The batches that the hub has sent to it, and not got back."""


def facts(breakage: Breakage, evidence: Evidence) -> dict[str, object]:
    """Return the fields of the event ``worker_failed``.

    Before a worker reports its own failure it writes the traceback of a node, which may show data
    of a record: so that is not part of any event.
    """
    texts = {
        "category": breakage.category,
        "message": breakage.message,
        "ended": evidence.ended,
        "node": breakage.node,
        "cause_type": breakage.cause_type,
        "vitals": str(evidence.vitals or ""),
        "position": "" if breakage.told else evidence.position,
        "stderr_tail": "" if breakage.told else last_bytes(evidence.stderr_tail),
    }
    counts = evidence.counts
    numbers = {
        "records_in": counts.records_in,
        "records_out": counts.records_out,
        "batches": counts.batches,
        "source_records": counts.source_records,
    }
    at_hand = evidence.at_hand._asdict() if evidence.at_hand else {}
    held = {f"at_hand_{name}": number for name, number in at_hand.items()}
    return {**{name: text for name, text in texts.items() if text}, **numbers, **held}


def at(position: str) -> str:
    """Return a worker's position as the end of a sentence; empty if it is not known."""
    return f", in {position}" if position else ""


def last_bytes(lines: Iterable[str], limit: int = _TAIL_BYTES) -> str:
    """Return the end of these lines, at most ``limit`` bytes of UTF-8; a cut is marked."""
    raw = "\n".join(lines).encode("utf-8", "backslashreplace")
    if len(raw) <= limit:
        return raw.decode()
    return _CUT + raw[len(raw) - limit + len(_CUT.encode()) :].decode(errors="ignore")
