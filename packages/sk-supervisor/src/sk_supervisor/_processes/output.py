"""Where a line goes that a worker has written: to whoever watches the run, and into its log."""

from __future__ import annotations

from typing import Final, Protocol

from sk_kernel import EventRail
from sk_kernel import OnLine as OnLine

from sk_supervisor._protocol.peers import group_of

WORKER_OUTPUT: Final = "worker_output"


class Shows(Protocol):
    """Takes the worker and its stream by name, and what it wrote there."""

    def __call__(self, worker: str, text: str, level: int | None = None) -> object:
        """A line; or, with its level, what was told in one piece, of one or more lines."""


def line_consumer(show: Shows, log: EventRail, *, as_events: bool) -> OnLine:
    """The function that takes what all workers write.

    :param as_events: whether lines are lifecycle events too: of level debug, within its rate. They
        are the application's words, and may hold what is in a record, as no other event does.
    """

    def take(worker: str, stream: str, text: str, level: int | None = None) -> None:
        show(f"{worker} {stream}", text, level)
        for line in text.split("\n") if as_events else ():
            told = {"stream": stream, "line": line}
            group = group_of(worker)
            log.emit(WORKER_OUTPUT, level="debug", group=group, worker=worker, fields=told)

    return take
