"""Passing on the lines that workers write: to the display of the run, and to its lifecycle log."""

from __future__ import annotations

from typing import Final, Protocol

from sk_kernel import EventRail
from sk_kernel import OnLine as OnLine

from sk_supervisor._protocol.worker_ids import group_of

WORKER_OUTPUT: Final = "worker_output"


class Shows(Protocol):
    """Shows the output of a worker."""

    def __call__(self, worker: str, text: str, level: int | None = None) -> object:
        """Show a line; or, with a level, a text of one or more lines that belong together.

        :param worker: the names of the worker and its stream.
        """


def line_consumer(show: Shows, log: EventRail, *, as_events: bool) -> OnLine:
    """Return the function that receives the output of all workers.

    :param as_events: whether lines are also lifecycle events, of level debug, within its rate. They
        are the application's text, and may show data of a record, as no other event does.
    """

    def take(worker: str, stream: str, text: str, level: int | None = None) -> None:
        show(f"{worker} {stream}", text, level)
        for line in text.split("\n") if as_events else ():
            told = {"stream": stream, "line": line}
            group = group_of(worker)
            log.emit(WORKER_OUTPUT, level="debug", group=group, worker=worker, fields=told)

    return take
