"""The worker process: from the spawn pipe to its last acknowledgement.

Its main thread waits on one inbox for batches, the gate and stop; a thread receives frames, another
reads the source, a third sends heartbeats, and gRPC's deliver what the supervisor says.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import io
import os
import queue
import signal
import sys
import threading
import time
import traceback
from typing import Any

from sk_control import (
    ControlError,
    ControlMessage,
    ControlPlaneChannel,
    ControlSettings,
    Drained,
    DrainOutcome,
    LossReason,
    PeerReplaced,
    Ready,
    StartWork,
    Stop,
    StopAck,
    WorkerIdentity,
)
from sk_kernel import Container, KernelError
from sk_transport import Secret

from sk_supervisor._assembly import Assembly, assemble
from sk_supervisor._failures import failure_of
from sk_supervisor._inbox import Arrived, Asked, Broke, GateOpened, Item, SourceRead, StopAsked
from sk_supervisor._orphan import die_with_parent
from sk_supervisor._pulse import Pulse, progress_message
from sk_supervisor._scope import resolve
from sk_supervisor._signals import HANDLED, ignored_from_above
from sk_supervisor.errors import ApplicationExitError, ProfileError

#: How long a failed worker waits for the supervisor's word before it leaves on its own.
_LAST_WORD_SECONDS = 5.0


class Worker:
    """One worker, built from what its supervisor delivers."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._mark("imported")
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._assembly: Assembly | None = None
        self._stop_asked = self._started = False
        self._may_leave, self._busy = True, False
        # Handlers, not SIG_IGN: what a node starts must not inherit deaf ears.
        signal.signal(signal.SIGINT, _not_ours)
        if not ignored_from_above(signal.SIGHUP):
            signal.signal(signal.SIGHUP, _not_ours)
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        self._scope = Container()
        self._scope.provide(
            ControlPlaneChannel,
            ControlPlaneChannel.connect(
                told["address"],
                told["session_id"],
                WorkerIdentity(
                    told["worker_id"], told["group"], told["index"], told["incarnation"]
                ),
                Secret(bytes.fromhex(told.pop("token"))),
                on_message=self._on_message,
                on_lost=_leave_at_once,
                timeout_seconds=told["deadline_seconds"],
                settings=ControlSettings(**told["control"]),
            ),
        )
        self._control = resolve(self._scope, ControlPlaneChannel)
        self._mark("connected")

    def run(self) -> int:
        """Live until stopped; the exit code."""
        pulse: Pulse | None = None
        try:
            bundle = self._control.take_bundle()
            self._mark("told")
            assembly = assemble(bundle, self._told, self._inbox.put, self._scope)
            self._may_leave = False
            if self._stop_asked:
                return self._end()
            self._assembly = assembly
            assembly.open()
            pulse = Pulse(
                self._control.send,
                assembly.progress,
                self._waiting,
                bundle.heartbeat_seconds,
                metering=assembly.metering,
                spans=assembly.span_counts,
            )
            pulse.start()
            threading.Thread(
                target=self._receive, args=(assembly,), name="data", daemon=True
            ).start()
            self._mark("ready")
            self._tell_spans()
            self._control.send(Ready(assembly.partial_outputs()))
            self._started = True
            # Collections, off since the process began, need not look at what it was built of.
            gc.freeze()
            gc.enable()
            self._work(assembly)
            return self._end()
        except SystemExit:
            return self._fail(ApplicationExitError())
        except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor is told
            return self._fail(error)
        finally:
            if pulse is not None:
                pulse.stop()
            self._control.close()

    def _work(self, assembly: Assembly) -> None:
        begun = False
        meter, outlet, inbox = assembly.meter, assembly.outlet, self._inbox
        if assembly.profiler is not None:
            inbox = assembly.profiler.waiting(inbox)
        while True:
            if inbox.empty():
                assembly.engine.responder.flush()
            self._busy = False
            meter.rest(outlet.blocked_seconds)
            item = inbox.get()
            meter.work()
            self._busy = True
            if isinstance(item, Asked):
                assembly.engine.ask(item)
                continue
            assembly.engine.responder.flush()  # nobody waits for a batch to be worked off
            match item:
                case Arrived() as arrived:
                    assembly.engine.arrive(arrived)
                case SourceRead(batch, payloads):
                    assembly.trace_source(batch)
                    assembly.engine.read(batch, payloads)
                case GateOpened():
                    begun = True
                    assembly.start_source()
                case PeerReplaced() as replaced:
                    assembly.replace_peer(replaced)
                case StopAsked(drain):
                    if not drain:
                        return
                case Broke(error):
                    raise error
            # Data may overtake the word to start, which comes another way; the report may not.
            if begun and assembly.engine.drained and not assembly.reported:
                assembly.reported = True
                self._report(assembly)

    def _waiting(self) -> int:
        """How many batches wait, and whether one is in work. Any thread."""
        return self._inbox.qsize() + self._busy

    def _report(self, assembly: Assembly) -> None:
        # What is still to be exported is so behind this: neither the drain nor a request that is
        # asked meanwhile waits for an exporter.
        engine = assembly.engine
        outcome = DrainOutcome.COMPLETE if engine.complete else DrainOutcome.STOPPED
        counters = engine.sink.summary() if engine.sink else {}
        self._profile(assembly)
        last = engine.progress
        self._tell_all()
        self._control.send(Drained(outcome, last.records_in, last.records_out, counters))

    def _end(self) -> int:
        if self._assembly is not None:
            self._assembly.end()
        self._tell_all()
        self._control.send(StopAck())
        return 0

    def _profile(self, assembly: Assembly) -> None:
        try:
            if assembly.profiler is not None:
                assembly.profiler.write(assembly.engine.progress.records_in)
        except ProfileError as error:  # the run is none the worse for it
            traceback.print_exception(error, file=sys.stderr)

    def _mark(self, step: str) -> None:
        self._told.setdefault("marks", {})[step] = time.time_ns()

    def _tell_spans(self) -> None:
        counts = self._assembly.span_counts() if self._assembly else None
        if counts is not None:
            self._control.send(counts)

    def _tell_all(self) -> None:
        self._tell_spans()
        if (assembly := self._assembly) is not None:
            last = progress_message(assembly.progress(), metering=assembly.metering())
            self._control.send(last)

    def _fail(self, error: BaseException) -> int:
        """Tell the supervisor, abort the sink, and wait shortly for its stop."""
        self._may_leave = False
        traceback.print_exception(error, file=sys.stderr)
        try:
            self._tell_spans()  # where another is to follow, there is no time for a last word
            self._control.send(failure_of(error, started=self._started))
            self._abort()
            self._tell_all()
            self._await_stop(time.monotonic() + _LAST_WORD_SECONDS)
            self._control.send(StopAck())
        except ControlError as second:
            traceback.print_exception(second, file=sys.stderr)
        return 1

    def _abort(self) -> None:
        try:
            if self._assembly is not None:
                self._assembly.end()
        except KernelError as second:
            traceback.print_exception(second, file=sys.stderr)

    def _await_stop(self, deadline: float) -> None:
        with contextlib.suppress(queue.Empty):
            while not self._stop_asked:
                self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))

    def _receive(self, assembly: Assembly) -> None:
        try:
            assembly.outlet.listen(self._inbox.put, assembly.credit.acknowledge)
        except Exception as error:  # noqa: BLE001 - the main thread knows what to make of it
            if not self._stop_asked:
                self._inbox.put(Broke(error))

    def _on_message(self, message: ControlMessage) -> None:
        match message:
            case StartWork():
                self._inbox.put(GateOpened())
            case Stop(drain=drain):
                self._asked_to_stop(drain)
            case PeerReplaced() as replaced if self._assembly is not None:
                # Its first frame may be here before the main thread comes to this.
                self._assembly.outlet.introduce(replaced.keys)
                self._inbox.put(replaced)
            case _:
                pass

    def _asked_to_stop(self, drain: bool) -> None:
        self._stop_asked = self._stop_asked or not drain
        if self._stop_asked and self._may_leave:
            os._exit(0)  # still importing: there is nothing to end, and it may take long
        try:
            if self._assembly is not None:
                self._assembly.interrupt_source()
        except KernelError as error:
            self._inbox.put(Broke(error))
        self._inbox.put(StopAsked(drain))

    def _on_terminate(self, *_: object) -> None:
        # The supervisor's order to leave, once it has asked to stop. Before that it comes from
        # elsewhere (a service manager signals every process), and how to end is not its to say.
        if self._stop_asked:
            os._exit(128 + signal.SIGTERM)


def _not_ours(*_: object) -> None:
    """SIGINT, SIGHUP: the supervisor has it too, and leads the end."""


def _leave_at_once(reason: LossReason) -> None:
    """The supervisor is gone: leave, and take along whatever this worker has started."""
    os.write(2, f"control session lost ({reason}): leaving\n".encode())
    os.killpg(0, signal.SIGKILL)


def main(told: dict[str, Any]) -> None:
    """Run a worker with what came through the spawn pipe; exits the process."""
    die_with_parent(told["parent"])
    faulthandler.enable(all_threads=False)  # all would be more lines than are kept
    code = 1
    if told["output_is_captured"] and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # line by line, and nothing left by a kill
    try:
        code = Worker(told).run()
    except BaseException:  # noqa: BLE001 - the last place where anybody can see it
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # Threads of gRPC would be joined at a normal exit; everything of ours is closed already.
    os._exit(code)
