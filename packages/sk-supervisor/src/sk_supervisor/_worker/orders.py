"""The supervisor's orders to its worker, received as messages in any thread and as SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from sk_control import ControlMessage, PeerReplaced, StartWork, Stop

from sk_supervisor._worker.assembly import Assembly
from sk_supervisor._worker.inbox import GateOpened, Item, StopAsked


class Orders:
    """Receives orders, and passes those for the main thread on to it. Never waits.

    :param deliver: puts an item into the worker's inbox.
    """

    def __init__(self, deliver: Callable[[Item], None]) -> None:
        self._deliver = deliver
        self._assembly: Assembly | None = None
        self._may_leave = True
        #: Set when the worker is to end, not only its input.
        self.stop_asked = threading.Event()

    def stay(self) -> None:
        """From now on leave a stop to the main thread, as there are parts to end."""
        self._may_leave = False

    def concern(self, assembly: Assembly) -> None:
        """Set the parts that orders apply to from now on."""
        self._assembly = assembly

    def hear(self, message: ControlMessage) -> None:
        """Process a message of the supervisor. Called in a thread of gRPC."""
        match message:
            case StartWork():
                self._deliver(GateOpened())
            case Stop(drain=drain):
                self._stop(drain)
            case PeerReplaced() as replaced if self._assembly is not None:
                # Its first frame may arrive before the main thread has processed this item.
                self._assembly.data_plane.introduce(replaced.keys)
                self._deliver(replaced)
            case _:
                pass

    def terminate(self, *_: object) -> None:
        """Handle SIGTERM: exit if the supervisor has asked this worker to end.

        Before that, the signal is not the supervisor's (a service manager signals every process)
        and is ignored.
        """
        if self.stop_asked.is_set():
            os._exit(128 + signal.SIGTERM)

    def _stop(self, drain: bool) -> None:
        """End the input, expire all requests, and end the worker unless it is to ``drain``."""
        if not drain:
            self.stop_asked.set()
        if self.stop_asked.is_set() and self._may_leave:
            os._exit(0)  # still importing, which may take long: there are no parts to end yet
        if self._assembly is not None:
            self._assembly.responder.expire()
            if self._assembly.reader is not None:
                self._assembly.reader.interrupt()
        self._deliver(StopAsked(drain))
