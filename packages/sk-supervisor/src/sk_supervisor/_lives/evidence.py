"""What is known of a worker at the moment that it failed: for the event, the error, the message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sk_supervisor._lives.judgement import Counts
from sk_supervisor._lives.vitals import Vitals
from sk_supervisor.errors import AtHand

if TYPE_CHECKING:  # a memory run imports this module, and needs nothing of the control plane
    from sk_control import Failed

#: An event's text has room for 2048 bytes, and the last lines say the most.
_TAIL_BYTES: Final = 2000
_CUT: Final = "\u2026"


@dataclass(frozen=True, slots=True)
class Breakage:
    """Why a worker is held to have failed."""

    category: str
    message: str = ""
    node: str = ""
    cause_type: str = ""
    told: bool = False
    """Whether the worker said so itself; what it wrote besides is then no evidence."""
    trace_id: str = ""
    """The trace of the record at fault, if there is one."""

    @classmethod
    def said(cls, failed: Failed) -> Breakage:
        """What the worker itself said."""
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
    """How a failed worker was found."""

    ended: str = ""
    """How its process ended; empty if it had not."""
    stderr_tail: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)
    """Its last word of its progress."""
    vitals: Vitals | None = None
    """What it was doing, where it was silent or stuck."""
    position: str = ""
    """The node and the line that it was at, in its last word of its progress."""
    at_hand: AtHand | None = None
    """What the hub had sent it, and has not seen again."""


def facts(breakage: Breakage, evidence: Evidence) -> dict[str, object]:
    """The fields of ``worker_failed``.

    What a worker wrote before it told of its own failure is the traceback of a node, which may
    hold what is in a record: it is in no event.
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
    """How a sentence goes on that says where a worker was; empty where that is not known."""
    return f", in {position}" if position else ""


def last_bytes(lines: Iterable[str], limit: int = _TAIL_BYTES) -> str:
    """The end of these lines, of at most so many bytes of UTF-8; a cut is marked."""
    raw = "\n".join(lines).encode("utf-8", "backslashreplace")
    if len(raw) <= limit:
        return raw.decode()
    return _CUT + raw[len(raw) - limit + len(_CUT.encode()) :].decode(errors="ignore")
