"""Leaving the process of a run in memory that heeds no forced stop, from beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from sk_kernel import BootstrapSupervisor
from sk_kernel.runtime import SINK, SOURCE

from sk_supervisor._lives.evidence import at
from sk_supervisor._memory.life import WORKER
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._run.summary import failure
from sk_supervisor._show.display import Display
from sk_supervisor._system.last_code import LastCode
from sk_supervisor.errors import EXIT_STOP_TIMEOUT, StopForcedError

if TYPE_CHECKING:
    from sk_supervisor._operate.admin import AdminServer


class Abandoning:
    """Says what holds on to the process and where its output is; then it is there no more.

    ``supervisor`` and ``admin`` are put in as they are made. Nothing of it waits for long: whatever
    the main thread holds, a display and an admin socket are waited for some seconds at most.
    """

    def __init__(self, prepared: Prepared, display: Display, last: LastCode) -> None:
        self._prepared, self._display, self._last = prepared, display, last
        self.supervisor: BootstrapSupervisor | None = None
        self.admin: AdminServer | None = None

    def __call__(self) -> NoReturn:
        """In a thread of its own."""
        try:
            self._display.close()
            self._display.last_words(self._words())
            if self.admin is not None:
                self.admin.close(EXIT_STOP_TIMEOUT)
        finally:
            self._last.leave(EXIT_STOP_TIMEOUT)

    def _words(self) -> Iterator[str]:
        """What is said, by whoever says it: the sink, which is asked, may hang as well."""
        # Here: no other run needs it.
        from sk_supervisor._system.standing import Standing, codes_of

        graph = self._prepared.application.graph
        parts = [SOURCE, *graph.nodes, SINK]
        position = Standing(codes_of(graph, parts))()
        if position.partition(" (")[0] not in parts:
            position = ""  # who has called the run, in whose loop a coroutine waits
        about = f"did not stop{at(position)}: the process was ended without cleanup"
        left = StopForcedError([WORKER], {WORKER: about})
        if self.supervisor is not None:
            yield failure(str(left), self.supervisor, self._prepared)
