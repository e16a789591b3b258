"""Leaving the process of a memory run that ignores a forced stop, from another thread."""

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
    """Reports which code does not stop, and where the output is; then it ends the process.

    ``supervisor`` and ``admin`` are set when they exist. No step waits for long: whatever the main
    thread is doing, the display and the admin socket are waited for some seconds at most.
    """

    def __init__(self, prepared: Prepared, display: Display, last: LastCode) -> None:
        self._prepared, self._display, self._last = prepared, display, last
        self.supervisor: BootstrapSupervisor | None = None
        self.admin: AdminServer | None = None

    def __call__(self) -> NoReturn:
        """Report, and end the process. Called in a thread of its own."""
        try:
            self._display.close()
            self._display.last_words(self._words())
            if self.admin is not None:
                self.admin.close(EXIT_STOP_TIMEOUT)
        finally:
            self._last.leave(EXIT_STOP_TIMEOUT)

    def _words(self) -> Iterator[str]:
        """Yield the message.

        The thread that shows it runs this, because the sink, which is asked, may hang as well.
        """
        # Imported here because no other run needs it.
        from sk_supervisor._worker.position import MainThreadPosition, codes_of

        graph = self._prepared.application.graph
        parts = [SOURCE, *graph.nodes, SINK]
        position = MainThreadPosition(codes_of(graph, parts))()
        if position.partition(" (")[0] not in parts:
            position = ""  # the code is the caller's, in whose loop a coroutine waits
        about = f"did not stop{at(position)}: the process was ended without cleanup"
        left = StopForcedError([WORKER], {WORKER: about})
        if self.supervisor is not None:
            yield failure(str(left), self.supervisor, self._prepared)
