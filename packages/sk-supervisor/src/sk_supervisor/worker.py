"""The worker process: from the spawn pipe to its last acknowledgement.

Its main thread waits on one inbox for batches, the gate and stop; a thread receives frames, another
reads the source, a third sends heartbeats, and gRPC's deliver what the supervisor says.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import sys
import threading
import traceback
from typing import Any

from sk_control import (
    ControlError,
    ControlMessage,
    ControlPlaneChannel,
    ControlSettings,
    Drained,
    DrainOutcome,
    Ready,
    StartWork,
    Stop,
    StopAck,
    WorkerIdentity,
)
from sk_kernel import KernelError
from sk_transport import Secret, TransportError

from sk_supervisor._assembly import Assembly, assemble
from sk_supervisor._failures import failure_of
from sk_supervisor._frames import HeaderError
from sk_supervisor._inbox import (
    Arrived,
    Broke,
    GateOpened,
    Item,
    SourceRead,
    StopAsked,
)
from sk_supervisor._orphan import die_with_parent
from sk_supervisor._pulse import Pulse
from sk_supervisor.errors import SupervisorError

#: How long a failed worker waits for the supervisor's word before it leaves on its own.
_LAST_WORD_SECONDS = 5.0


class Worker:
    """One worker, built from what its supervisor delivers."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._assembly: Assembly | None = None
        self._stop_asked = False
        self._started = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_terminate)
        self._control = ControlPlaneChannel.connect(
            told["address"],
            told["session_id"],
            WorkerIdentity(told["worker_id"], told["group"], told["index"], told["incarnation"]),
            Secret(bytes.fromhex(told.pop("token"))),
            on_message=self._on_message,
            on_lost=_leave_at_once,
            timeout_seconds=told["deadline_seconds"],
            settings=ControlSettings(**told["control"]),
        )

    def run(self) -> int:
        """Live until stopped; the exit code."""
        pulse: Pulse | None = None
        try:
            bundle = self._control.take_bundle()
            self._assembly = assemble(bundle, self._told, self._inbox.put)
            pulse = Pulse(self._control.send, self._assembly.progress, bundle.heartbeat_seconds)
            pulse.start()
            threading.Thread(target=self._receive, name="data", daemon=True).start()
            self._control.send(Ready(self._assembly.partial_outputs()))
            self._started = True
            # Nothing made so far is garbage: collections need not look at it again.
            gc.collect()
            gc.freeze()
            self._work(self._assembly)
            return self._end(complete=False)
        except (KernelError, SupervisorError, TransportError, ControlError) as error:
            return self._fail(error)
        except Exception as error:
            self._fail(error)
            raise
        finally:
            if pulse is not None:
                pulse.stop()
            self._control.close()

    def _work(self, assembly: Assembly) -> None:
        while True:
            match self._inbox.get():
                case Arrived() as arrived:
                    assembly.engine.arrive(arrived)
                case SourceRead(batch, payloads):
                    assembly.trace_source(batch)
                    assembly.engine.read(batch, payloads)
                case GateOpened():
                    assembly.start_source()
                case StopAsked(drain):
                    if not drain:
                        return
                case Broke(error):
                    raise error
            if assembly.engine.drained and not assembly.reported:
                assembly.reported = True
                self._control.send(self._drained(assembly))

    def _drained(self, assembly: Assembly) -> Drained:
        assembly.flush()
        engine = assembly.engine
        outcome = DrainOutcome.COMPLETE if engine.complete else DrainOutcome.STOPPED
        counters = engine.sink.summary() if engine.sink else {}
        progress = engine.progress
        return Drained(outcome, progress.records_in, progress.records_out, counters)

    def _end(self, *, complete: bool) -> int:
        if self._assembly is not None:
            self._assembly.end(complete=complete)
        self._control.send(StopAck())
        return 0

    def _fail(self, error: Exception) -> int:
        """Tell the supervisor, abort the sink, and wait shortly for its stop."""
        traceback.print_exception(error, file=sys.stderr)
        try:
            self._control.send(failure_of(error, started=self._started))
            if self._assembly is not None:
                self._assembly.end(complete=False)
            while not isinstance(self._inbox.get(timeout=_LAST_WORD_SECONDS), StopAsked):
                pass
            self._control.send(StopAck())
        except (queue.Empty, ControlError, KernelError) as second:
            traceback.print_exception(second, file=sys.stderr)
        return 1

    def _receive(self) -> None:
        assembly = self._assembly
        assert assembly is not None  # noqa: S101 - started after it was made
        try:
            assembly.outlet.listen(self._inbox.put, assembly.credit.acknowledge)
        except (TransportError, HeaderError) as error:
            # Raised in this thread it would be lost; the main thread knows what to make of it.
            if not self._stop_asked:
                self._inbox.put(Broke(error))

    def _on_message(self, message: ControlMessage) -> None:
        match message:
            case StartWork():
                self._inbox.put(GateOpened())
            case Stop(drain=drain):
                self._stop_asked = self._stop_asked or not drain
                if self._assembly is not None:
                    self._assembly.interrupt_source()
                self._inbox.put(StopAsked(drain))
            case _:
                pass

    def _on_terminate(self, *_: object) -> None:
        # The supervisor's order to leave, once it has asked to stop. Before that it comes from
        # elsewhere (a service manager signals every process), and how to end is not its to say.
        if self._stop_asked:
            os._exit(128 + signal.SIGTERM)


def _leave_at_once(_: object) -> None:
    os._exit(1)


def main(told: dict[str, Any]) -> None:
    """Run a worker with what came through the spawn pipe; exits the process."""
    die_with_parent(told["parent"])
    try:
        code = Worker(told).run()
    except ControlError as error:
        traceback.print_exception(error, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of gRPC would be joined at a normal exit; everything of ours is closed already.
    os._exit(code)
