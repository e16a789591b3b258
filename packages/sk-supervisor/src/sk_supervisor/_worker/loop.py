"""The main loop of a worker: it processes one item of the inbox after the other."""

from __future__ import annotations

import threading

from sk_control import ControlPlaneChannel, PeerReplaced

from sk_supervisor._worker.assembly import Assembly
from sk_supervisor._worker.inbox import (
    BatchArrived,
    Broke,
    GateOpened,
    Inbox,
    Item,
    RequestArrived,
    SourceRead,
    StopAsked,
    next_item,
)
from sk_supervisor._worker.reports import tell_drained


class WorkerLoop:
    """Processes the items of the inbox until one of them is a stop.

    :param control: the session over which it reports that all work is done.
    :param stop_asked: set when this worker is to end; items that are in the inbox before the stop
        are then skipped.
    """

    def __init__(
        self,
        inbox: Inbox,
        assembly: Assembly,
        control: ControlPlaneChannel,
        stop_asked: threading.Event,
    ) -> None:
        self._inbox, self._assembly, self._control = inbox, assembly, control
        self._stop_asked = stop_asked
        self._begun = self._busy = False

    def waiting(self) -> int:
        """The number of waiting items, plus one if an item or the source's close is in progress.

        Any thread.
        """
        reader = self._assembly.reader
        return self._inbox.size() + (self._busy or (reader is not None and reader.closes))

    def run(self) -> None:
        """Process items until the supervisor has sent a stop that is not a drain.

        :raises Exception: the error that ends this worker before that.
        """
        assembly, inbox = self._assembly, self._inbox
        engine, responder, data_plane = assembly.engine, assembly.responder, assembly.data_plane
        meter = engine.meter
        get, ends = inbox.get, self._stop_asked.is_set

        def has_come() -> bool:
            return not inbox.empty()

        if assembly.profiler is not None:
            get = assembly.profiler.waiting(get)
        while True:
            if responder.busy and (inbox.empty() or responder.has_enough) and not ends():
                engine.answer(inbox, has_come)
                continue
            self._busy = False
            meter.rest(data_plane.blocked_seconds)
            item = next_item(get, assembly.spans)
            if ends() and not isinstance(item, StopAsked | Broke):
                continue
            meter.work()
            self._busy = True
            if isinstance(item, RequestArrived):
                responder.take(item)
                continue
            if isinstance(item, BatchArrived | SourceRead):
                while responder.busy and not ends():  # the requests arrived before the batch
                    engine.answer(inbox, ends)
            responder.flush()  # answers do not wait until a batch has been run
            if isinstance(item, StopAsked) and not item.drain:
                return
            self._take(item)
            # Data may arrive before StartWork, as it takes another path; Drained must follow it.
            if self._begun and engine.drained and not assembly.reported:
                assembly.reported = True
                tell_drained(self._control, assembly)

    def _take(self, item: Item) -> None:
        match item:
            case BatchArrived() as arrived:
                self._assembly.engine.arrive(arrived)
            case SourceRead(batch, payloads):
                self._assembly.trace_source(batch)
                self._assembly.engine.read(batch, payloads)
            case GateOpened():
                self._begun = True
                self._assembly.start_source()
            case PeerReplaced() as replaced:
                self._assembly.data_plane.turn_to(replaced.worker_id, replaced.keys)
            case Broke(error):
                raise error
