"""Where a line goes that a worker has written: to whoever watches the run, and into its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sk_kernel import EventRail

from sk_supervisor._protocol.peers import group_of

WORKER_OUTPUT: Final = "worker_output"

#: A worker's id, ``stdout`` or ``stderr``, and a line.
OnLine = Callable[[str, str, str], None]


def line_consumer(show: Callable[[str, str], None], log: EventRail, *, as_events: bool) -> OnLine:
    """The function that takes the lines of all workers. Any thread may call it.

    :param show: takes the worker and its stream by name, and the line.
    :param as_events: whether lines are lifecycle events too: of level debug, within its rate. They
        are the application's words, and may hold what is in a record, as no other event does.
    """

    def take(worker: str, stream: str, line: str) -> None:
        show(f"{worker} {stream}", line)
        if as_events:
            told = {"stream": stream, "line": line}
            group = group_of(worker)
            log.emit(WORKER_OUTPUT, level="debug", group=group, worker=worker, fields=told)

    return take
