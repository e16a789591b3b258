"""What is raised of a worker that has failed, with what is known of it: public in ``errors``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from sk_supervisor._base_error import EXIT_WORKER, SupervisorError

#: How each of a worker's last lines begins in the text of an error.
LAST_LINE: Final = "  | "

#: What may be behind the end of a process that has said nothing, and where to look.
_ENDS: Final = {
    "signal SIGKILL": (
        "it was killed by SIGKILL from outside: by a person, or by the kernel because memory was"
        " short (see dmesg)"
    )
}


class AtHand(NamedTuple):
    """The batches that were sent to a worker and have not come out of it, by their records.

    Records are numbered as the source gives them, from 1; ``first`` to ``oldest_last`` is the
    oldest of so many ``batches``, ``last`` the last record of the newest.
    """

    first: int
    oldest_last: int
    last: int
    batches: int

    def __str__(self) -> str:
        oldest = f"records {self.first:,} to {self.oldest_last:,}"
        if self.batches == 1:
            return oldest
        others = "1 more batch" if self.batches == 2 else f"{self.batches - 1:,} more batches"
        return f"{oldest}; then {others} up to record {self.last:,}"


class RuntimeWorkerFailedError(SupervisorError):
    """A worker failed while work was under way.

    ``category`` is one of ``crash``, ``heartbeat``, ``stuck``, ``memory``, ``execution``,
    ``transport``, ``protocol`` (or, as the cause of a failed start, ``start`` and ``timeout``);
    ``ended`` says how the process ended (``exit code 1``, ``signal SIGKILL``), ``stderr_tail``
    holds the last lines that it wrote, ``node`` and ``cause_type`` say what failed. ``vitals`` is
    what a silent or stuck worker was doing (``stopped``, ``busy``, ``idle``, ``gone``);
    ``position`` is the node and the line that it was at, as it last said, ``nodes`` are those of
    its group;
    ``records_in``, ``records_out``, ``batches`` and ``source_records`` (how far in the source's
    input it had come) are its last word of its progress; ``at_hand``
    is an :class:`AtHand`, or None where nothing was, or that is not known. What the
    worker ``told`` of itself is enough for the message; otherwise the last lines are part of it.
    Secrets of the configuration are masked. ``gave_up`` says, where the group's workers are
    restarted, why this one was not; ``trace_id`` is that of the record at fault, if there is one.
    """

    exit_code = EXIT_WORKER

    def __init__(
        self,
        category: str,
        group: str,
        worker: str,
        *,
        ended: str = "",
        node: str = "",
        cause_type: str = "",
        message: str = "",
        stderr_tail: Iterable[str] = (),
        told: bool = False,
        vitals: str = "",
        position: str = "",
        nodes: Iterable[str] = (),
        records_in: int = 0,
        records_out: int = 0,
        batches: int = 0,
        source_records: int = 0,
        at_hand: AtHand | None = None,
        gave_up: str = "",
        trace_id: str = "",
    ) -> None:
        self.gave_up, self.trace_id = gave_up, trace_id
        self.category, self.group, self.worker = category, group, worker
        self.vitals, self.records_in, self.at_hand = vitals, records_in, at_hand
        self.position, self.nodes = position, tuple(nodes)
        self.records_out, self.batches = records_out, batches
        self.source_records = source_records
        self.ended, self.node, self.cause_type, self.message = ended, node, cause_type, message
        self.stderr_tail, self.told = tuple(stderr_tail), told
        parts = [f"worker {worker} of group {group} failed ({category})"]
        parts += [text for text in (ended, message, gave_up) if text]
        lines = [": ".join(parts)]
        if batches:
            done = f"{batches:,} batches, to record {source_records:,} of the source"
            come = f"{records_in:,} records in, {records_out:,} out"
            lines.append(f"  its last progress: {done}: {come}")
        if at_hand and not trace_id:  # the message names the record itself where it is known
            lines.append(f"  in progress: {at_hand}")
        lines += [] if told else self._found()
        super().__init__("\n".join(lines))

    def _found(self) -> Iterator[str]:
        """What is known besides of a worker that has said nothing of its failure."""
        if self.position and self.position not in self.message:
            yield f"  last known position: {self.position}"
        elif self.nodes and not self.position:
            yield f"  the nodes of its group: {', '.join(self.nodes)}"
        if self.category == "crash" and self.ended in _ENDS:
            yield f"  {_ENDS[self.ended]}"
        for line in self.stderr_tail:
            yield f"{LAST_LINE}{line}"
