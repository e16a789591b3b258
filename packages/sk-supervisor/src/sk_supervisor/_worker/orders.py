"""What the supervisor orders its worker to do, as it is heard: in any thread, and by a signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from sk_control import ControlMessage, PeerReplaced, StartWork, Stop

from sk_supervisor._worker.assembly import Assembly
from sk_supervisor._worker.inbox import GateOpened, Item, StopAsked


class Orders:
    """Hears them, and hands on to the main thread what is for it. Never waits.

    :param deliver: puts what is to be done into the worker's inbox.
    """

    def __init__(self, deliver: Callable[[Item], None]) -> None:
        self._deliver = deliver
        self._assembly: Assembly | None = None
        self._may_leave = True
        #: Set when this worker is to end, and not only its input.
        self.stop_asked = threading.Event()

    def stay(self) -> None:
        """From now on there is something to end: an order to stop is the main thread's to obey."""
        self._may_leave = False

    def concern(self, assembly: Assembly) -> None:
        """Orders are about these parts from now on."""
        self._assembly = assembly

    def hear(self, message: ControlMessage) -> None:
        """The supervisor has sent a message; in a thread of gRPC's."""
        match message:
            case StartWork():
                self._deliver(GateOpened())
            case Stop(drain=drain):
                self._stop(drain)
            case PeerReplaced() as replaced if self._assembly is not None:
                # Its first frame may be here before the main thread comes to this.
                self._assembly.data_plane.introduce(replaced.keys)
                self._deliver(replaced)
            case _:
                pass

    def terminate(self, *_: object) -> None:
        """SIGTERM: the supervisor's order to leave, once it has asked to stop.

        Before that it comes from elsewhere (a service manager signals every process), and how to
        end is not its to say.
        """
        if self.stop_asked.is_set():
            os._exit(128 + signal.SIGTERM)

    def _stop(self, drain: bool) -> None:
        """The input is to end, and, unless it is to ``drain``, this worker; requests are over."""
        if not drain:
            self.stop_asked.set()
        if self.stop_asked.is_set() and self._may_leave:
            os._exit(0)  # still importing: there is nothing to end, and it may take long
        if self._assembly is not None:
            self._assembly.engine.responder.expire()
            self._assembly.interrupt_source()
        self._deliver(StopAsked(drain))
