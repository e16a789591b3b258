"""The worker process: from the spawn pipe to its last acknowledgement.

Its main thread waits on one inbox for batches, the start of work and stop requests. A second thread
receives frames, a third reads the source, a fourth sends heartbeats, and threads of gRPC deliver
the messages of the supervisor.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import io
import os
import sys
import threading
import time
import traceback
from typing import Any, BinaryIO

from sk_control import BootstrapBundle, Ready
from sk_kernel.runtime import Container

from sk_supervisor._protocol.assignment import await_assignment
from sk_supervisor._system.signals import without_signals
from sk_supervisor._system.threads import begin
from sk_supervisor._worker.assembling import assemble
from sk_supervisor._worker.assembly import Assembly
from sk_supervisor._worker.end import end_failed, end_stopped
from sk_supervisor._worker.inbox import Broke, Inbox
from sk_supervisor._worker.loop import WorkerLoop
from sk_supervisor._worker.orders import Orders
from sk_supervisor._worker.planes import planes_in, worker_scope
from sk_supervisor._worker.pulse import Pulse
from sk_supervisor._worker.reports import tell_spans
from sk_supervisor._worker.signals import hear_signals
from sk_supervisor._worker.telling import tell_unconfigured_logs
from sk_supervisor.errors import ApplicationExitError


class Worker:
    """One worker, built from the bundle that its supervisor sends.

    :param scope: the worker's own; it binds the worker's ends of both planes.
    :raises RuntimeLifecycleResolutionError: when they are not bound; nothing has been changed then.
    """

    def __init__(self, assignment: dict[str, Any], scope: Container) -> None:
        self._planes = planes_in(scope)
        self._assignment = assignment
        self._inbox = Inbox()
        self._orders = Orders(self._inbox.put)
        self._assembly: Assembly | None = None
        self._pulse: Pulse | None = None
        self._started = False
        hear_signals(self._orders.terminate)
        with without_signals():  # no thread, gRPC's included, may take a signal
            self._control = self._planes.control(assignment, self._orders.hear)
        self._mark("connected")

    def run(self) -> int:
        """Run until stopped; return the exit code."""
        try:
            bundle = self._control.take_bundle()
            self._mark("told")
            assembly = assemble(bundle, self._assignment, self._inbox.put, self._planes.data)
            self._orders.stay()
            if not self._orders.stop_asked.is_set():
                self._assembly = assembly
                self._live(assembly, bundle)
            return end_stopped(self._control, self._assembly)
        except (SystemExit, KeyboardInterrupt) as error:
            return self._fail(ApplicationExitError(error))
        except BaseException as error:  # noqa: BLE001 - every failure is reported to the supervisor
            return self._fail(error)
        finally:
            if self._pulse is not None:
                self._pulse.stop()
            self._control.close()

    def _live(self, assembly: Assembly, bundle: BootstrapBundle) -> None:
        """Open the parts of this worker, report that it is ready, and work until stopped."""
        self._orders.concern(assembly)
        assembly.open()
        loop = WorkerLoop(self._inbox, assembly, self._control, self._orders.stop_asked)
        self._pulse = Pulse(
            self._control.send,
            progress=lambda: assembly.engine.progress,
            waiting=loop.waiting,
            heartbeat_seconds=bundle.heartbeat_seconds,
            metering=assembly.metering,
            spans=assembly.spans.counts if assembly.spans is not None else None,
            position=assembly.position,
            broke=lambda error: self._inbox.put(Broke(error)),
        )
        self._pulse.start()
        begin(threading.Thread(target=self._receive, args=(assembly,), name="data", daemon=True))
        self._mark("ready")
        tell_spans(self._control, assembly)
        self._control.send(Ready(assembly.partial_outputs()))
        self._started = True
        # Garbage collection, off until now, can ignore the objects that the worker is built of.
        gc.freeze()
        gc.enable()
        loop.run()

    def _fail(self, error: BaseException) -> int:
        return end_failed(error, self._control, self._assembly, self._orders, started=self._started)

    def _receive(self, assembly: Assembly) -> None:
        """Receive frames from the hub until the connection ends. Runs in its own thread."""
        try:
            assembly.data_plane.listen(self._inbox.put, assembly.credit.acknowledge)
        except Exception as error:  # noqa: BLE001 - the main thread handles it
            if not self._orders.stop_asked.is_set():
                self._inbox.put(Broke(error))

    def _mark(self, step: str) -> None:
        """Record the time at which a step of the start was done, for a profiled run."""
        self._assignment.setdefault("marks", {})[step] = time.time_ns()


def main(pipe: BinaryIO, began: int, scope: Container | None = None) -> None:
    """Run the worker that the spawn pipe describes; exit the process at the end.

    :param began: when the interpreter started, in nanoseconds since the epoch.
    :param scope: binds its ends of both planes; by default those of ``tcp_local``.
    """
    faulthandler.enable(all_threads=False)  # the stacks of all threads would exceed the lines kept
    assignment = await_assignment(pipe, {"interpreter": began, "imported": time.time_ns()})
    tell_unconfigured_logs(assignment.pop("mark"))
    code = 1
    if assignment["output_is_captured"] and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a kill loses no complete line
    try:
        code = Worker(assignment, scope or worker_scope()).run()
    except BaseException:  # noqa: BLE001 - nothing after this could report it
        traceback.print_exc()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None if closed from the start
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # A normal exit would join threads of gRPC; everything that we opened is closed already.
    os._exit(code)
