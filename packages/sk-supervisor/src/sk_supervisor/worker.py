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
from typing import Any, BinaryIO

from sk_control import (
    ControlError,
    ControlMessage,
    ControlPlaneChannel,
    ControlSettings,
    HelloRefusedError,
    PeerReplaced,
    Ready,
    RefusalCode,
    StartWork,
    Stop,
    StopAck,
    WorkerIdentity,
)
from sk_kernel import Container, KernelError
from sk_transport import Secret

from sk_supervisor._assembling import assemble
from sk_supervisor._assembly import Assembly
from sk_supervisor._assignment import await_assignment
from sk_supervisor._failures import failure_of
from sk_supervisor._inbox import (
    BatchArrived,
    Broke,
    GateOpened,
    Item,
    RequestArrived,
    SourceRead,
    StopAsked,
    next_item,
)
from sk_supervisor._orphan import die_with_parent
from sk_supervisor._pulse import Pulse
from sk_supervisor._scope import resolve
from sk_supervisor._worker_signals import hear_signals, leave_at_once
from sk_supervisor._worker_words import print_failure, tell_drained, tell_last, tell_spans
from sk_supervisor.errors import ApplicationExitError

#: How long a failed worker waits for the supervisor's word before it leaves on its own.
_LAST_WORD_SECONDS = 5.0
#: How often a worker that is evicted before its hello was read dials, and the pause between.
_DIALS = 4
_REDIAL_SECONDS = 0.05


class Worker:
    """One worker, built from what its supervisor delivers."""

    def __init__(self, assignment: dict[str, Any]) -> None:
        self._assignment = assignment
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._assembly: Assembly | None = None
        self._stop_asked = self._started = False
        self._may_leave, self._busy = True, False
        hear_signals(self._on_terminate)
        self._scope = Container()
        token = Secret(bytes.fromhex(assignment.pop("token")))
        self._scope.provide(ControlPlaneChannel, self._dialled(token))
        self._control = resolve(self._scope, ControlPlaneChannel)
        self._mark("connected")

    def _dialled(self, token: Secret) -> ControlPlaneChannel:
        """The control session; in a flood of strangers an honest worker is evicted with them."""
        for _ in range(_DIALS - 1):
            try:
                return self._dial(token)
            except HelloRefusedError as refused:
                if refused.code != RefusalCode.EVICTED:
                    raise
            time.sleep(_REDIAL_SECONDS)
        return self._dial(token)

    def _dial(self, token: Secret) -> ControlPlaneChannel:
        assignment = self._assignment
        identity = (
            assignment["worker_id"],
            assignment["group"],
            assignment["index"],
            assignment["incarnation"],
        )
        return ControlPlaneChannel.connect(
            assignment["address"],
            assignment["session_id"],
            WorkerIdentity(*identity),
            token,
            on_message=self._on_message,
            on_lost=leave_at_once,
            timeout_seconds=assignment["deadline_seconds"],
            settings=ControlSettings(**assignment["control"]),
        )

    def run(self) -> int:
        """Live until stopped; the exit code."""
        pulse: Pulse | None = None
        try:
            bundle = self._control.take_bundle()
            self._mark("told")
            assembly = assemble(bundle, self._assignment, self._inbox.put, self._scope)
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
            tell_spans(self._control, self._assembly)
            self._control.send(Ready(assembly.partial_outputs()))
            self._started = True
            # Collections, off since the process began, need not look at what it was built of.
            gc.freeze()
            gc.enable()
            self._work(assembly)
            return self._end()
        except (SystemExit, KeyboardInterrupt) as error:
            return self._fail(ApplicationExitError(error))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the supervisor is told
            return self._fail(error)
        finally:
            if pulse is not None:
                pulse.stop()
            self._control.close()

    def _work(self, assembly: Assembly) -> None:
        """Take one item of the inbox after the other, until the supervisor says stop.

        :raises Exception: whatever ends this worker before that.
        """
        begun = False
        meter, data_plane, inbox = assembly.meter, assembly.data_plane, self._inbox
        if assembly.profiler is not None:
            inbox = assembly.profiler.waiting(inbox)
        while True:
            if inbox.empty():
                assembly.engine.responder.flush()
            self._busy = False
            meter.rest(data_plane.blocked_seconds)
            item = next_item(inbox, assembly)
            meter.work()
            self._busy = True
            if isinstance(item, RequestArrived):
                assembly.engine.ask(item)
                continue
            assembly.engine.responder.flush()  # nobody waits for a batch to be worked off
            match item:
                case BatchArrived() as arrived:
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
                tell_drained(self._control, assembly)

    def _waiting(self) -> int:
        """How many batches wait, and whether one is in work, or the source's end. Any thread."""
        ending = self._assembly is not None and self._assembly.closes_source
        return self._inbox.qsize() + (self._busy or ending)

    def _end(self) -> int:
        """Let go of everything, and acknowledge the stop; the exit code."""
        if self._assembly is not None:
            self._assembly.end()
        tell_last(self._control, self._assembly)
        self._control.send(StopAck())
        return 0

    def _mark(self, step: str) -> None:
        """Note when a step of the start was done, for a run that is profiled."""
        self._assignment.setdefault("marks", {})[step] = time.time_ns()

    def _fail(self, error: BaseException) -> int:
        """Tell the supervisor, abort the sink, and wait shortly for its stop."""
        self._may_leave = False
        print_failure(error)
        try:
            # Now, and not behind the abort: where another is to follow, there may be no time then.
            tell_spans(self._control, self._assembly)
            self._control.send(failure_of(error, started=self._started))
            self._abort()
            tell_last(self._control, self._assembly)
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
        """The thread that takes frames from the hub, until the connection ends."""
        try:
            assembly.data_plane.listen(self._inbox.put, assembly.credit.acknowledge)
        except Exception as error:  # noqa: BLE001 - the main thread knows what to make of it
            if not self._stop_asked:
                self._inbox.put(Broke(error))

    def _on_message(self, message: ControlMessage) -> None:
        """The supervisor has sent a message; in a thread of gRPC's."""
        match message:
            case StartWork():
                self._inbox.put(GateOpened())
            case Stop(drain=drain):
                self._asked_to_stop(drain)
            case PeerReplaced() as replaced if self._assembly is not None:
                # Its first frame may be here before the main thread comes to this.
                self._assembly.data_plane.introduce(replaced.keys)
                self._inbox.put(replaced)
            case _:
                pass

    def _asked_to_stop(self, drain: bool) -> None:
        """The supervisor wants the input to end, and, unless it is to ``drain``, this worker."""
        self._stop_asked = self._stop_asked or not drain
        if self._stop_asked and self._may_leave:
            os._exit(0)  # still importing: there is nothing to end, and it may take long
        if self._assembly is not None:
            self._assembly.interrupt_source()
        self._inbox.put(StopAsked(drain))

    def _on_terminate(self, *_: object) -> None:
        # The supervisor's order to leave, once it has asked to stop. Before that it comes from
        # elsewhere (a service manager signals every process), and how to end is not its to say.
        if self._stop_asked:
            os._exit(128 + signal.SIGTERM)


def main(parent: int, pipe: BinaryIO, began: int) -> None:
    """Run the worker that the spawn pipe says; exits the process.

    :param parent: the supervisor's process.
    :param began: when the interpreter did, nanoseconds since the epoch.
    """
    die_with_parent(parent)
    faulthandler.enable(all_threads=False)  # all would be more lines than are kept
    assignment = await_assignment(pipe, {"interpreter": began, "imported": time.time_ns()})
    code = 1
    if assignment["output_is_captured"] and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # line by line, and nothing left by a kill
    try:
        code = Worker(assignment).run()
    except BaseException:  # noqa: BLE001 - the last place where anybody can see it
        traceback.print_exc()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None where it was closed from the start
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # Threads of gRPC would be joined at a normal exit; everything of ours is closed already.
    os._exit(code)
