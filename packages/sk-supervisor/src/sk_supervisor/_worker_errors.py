"""The error of a failed worker, with its evidence; public in ``errors``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from sk_supervisor._base_error import EXIT_WORKER, SupervisorError

#: The prefix of each of the worker's last lines in the text of an error.
LAST_LINE: Final = "  | "

#: The possible cause when a process ended and reported nothing, and where to look.
_ENDS: Final = {
    "signal SIGKILL": (
        "it was killed by SIGKILL from outside: by a person, or by the kernel because memory was"
        " short (see dmesg)"
    )
}


class AtHand(NamedTuple):
    """The batches that a worker was sent and has not passed on, by the numbers of their records.

    Records are numbered from 1 in the order of the source. There are ``batches`` of them; the
    oldest has the records ``first`` to ``oldest_last``, and the newest ends with record ``last``.
    """

    first: int
    oldest_last: int
    last: int
    batches: int

    def __str__(self) -> str:
        if self.first == self.oldest_last:
            oldest = f"record {self.first}"
        else:
            oldest = f"records {self.first} to {self.oldest_last}"
        if self.batches == 1:
            return oldest
        others = "1 more batch" if self.batches == 2 else f"{self.batches - 1:,} more batches"
        return f"{oldest}; then {others} up to record {self.last}"


class RuntimeWorkerFailedError(SupervisorError):
    """A worker failed while it was working.

    - ``category`` is ``crash``, ``heartbeat``, ``stuck``, ``memory``, ``execution``, ``transport``
      or ``protocol`` (as the cause of a failed start also ``start`` or ``timeout``).
    - ``ended``: how the process ended (``exit code 1``, ``signal SIGKILL``); ``stderr_tail``: the
      last lines of its standard error; ``node`` and ``cause_type``: what failed.
    - ``vitals``: what a silent or stuck worker was doing (``stopped``, ``busy``, ``idle``,
      ``gone``).
    - ``position``: its last reported node and line; ``nodes``: the nodes of its group.
    - ``records_in``, ``records_out``, ``batches`` and ``source_records`` (its position in the
      source's input): its last reported progress.
    - ``at_hand``: an :class:`AtHand`; None if it had no batch, or that is not known.
    - ``told``: whether the worker reported its failure itself. If not, the message includes the
      last lines. Secrets of the configuration are masked.
    - ``gave_up``: if the group restarts its workers, why this one was not restarted.
    - ``trace_id``: the trace of the record at fault, if there is one.
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
        if at_hand and not trace_id:  # if the trace is known, the message names the record
            lines.append(f"  in progress: {at_hand}")
        lines += [] if told else self._found()
        super().__init__("\n".join(lines))

    def _found(self) -> Iterator[str]:
        """Yield further evidence, for a worker that did not report its failure itself."""
        if self.position and self.position not in self.message:
            yield f"  last known position: {self.position}"
        elif self.nodes and not self.position:
            yield f"  the nodes of its group: {', '.join(self.nodes)}"
        if self.category == "crash" and self.ended in _ENDS:
            yield f"  {_ENDS[self.ended]}"
        for line in self.stderr_tail:
            yield f"{LAST_LINE}{line}"
