"""Every exception of sk-supervisor, on one screen, each with the exit code that a run ends with.

The exit codes are a documented contract: 0 done, 2 configuration, 3 start or readiness, 4 worker
failure, 5 stop timeout (forced), 129, 130 and 143 stopped by SIGHUP, SIGINT and SIGTERM (or
``sk stop``) after a clean drain. 1 is of the commands that look at a run: there is none, or it does
not answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from typing import ClassVar

from sk_kernel import Fault, LifecycleCallError, LifecycleError

EXIT_DONE = 0
EXIT_OPERATION = 1
EXIT_CONFIGURATION = 2
EXIT_START = 3
EXIT_WORKER = 4
EXIT_STOP_TIMEOUT = 5
EXIT_SIGNAL_BASE = 128


class SupervisorError(LifecycleError):
    """Base of every error that sk-supervisor raises."""

    exit_code: ClassVar[int] = EXIT_WORKER


class RunRefusedError(SupervisorError):
    """The configuration cannot run; ``faults`` holds every reason, and no process was started."""

    exit_code = EXIT_CONFIGURATION

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


class RuntimeLifecycleResolutionError(SupervisorError, LifecycleCallError):
    """A lifecycle call came that the supervisor's state does not allow, or without its binding."""

    exit_code = EXIT_START


class RuntimeLifecycleReadyError(SupervisorError):
    """Workers were not ready in time, or ended before they were."""

    exit_code = EXIT_START

    def __init__(
        self, category: str, workers: Iterable[str], waited_seconds: float, detail: str = ""
    ) -> None:
        self.category, self.workers = category, tuple(workers)
        self.waited_seconds, self.detail = waited_seconds, detail
        problem = detail or f"not ready: {', '.join(self.workers)}"
        super().__init__(f"start failed ({category}) after {waited_seconds:.1f} s: {problem}")


class BundleRejectedError(SupervisorError):
    """The bootstrap bundle is not one that this version of the worker can be built from."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"bootstrap bundle rejected: {problem}")


class RuntimeWorkerFailedError(SupervisorError):
    """A worker failed while work was under way.

    ``category`` is one of ``crash``, ``heartbeat``, ``stuck``, ``memory``, ``execution``,
    ``transport``, ``protocol`` (or, as the cause of a failed start, ``start`` and ``timeout``);
    ``ended`` says how the process ended (``exit code 1``, ``signal SIGKILL``), ``stderr_tail``
    holds the last lines that it wrote, ``node`` and ``cause_type`` say what failed. ``vitals`` is
    what a silent or stuck worker was doing (``stopped``, ``busy``, ``idle``, ``gone``);
    ``records_in``, ``records_out`` and ``batches`` are its last word of its progress. What the
    worker ``told`` of itself is enough for the message; otherwise the last lines are part of it.
    Secrets of the configuration are masked. ``gave_up`` says, where the group's workers are
    restarted, why this one was not.
    """

    exit_code = EXIT_WORKER

    def __init__(
        self,
        category: str,
        group: str,
        worker: str,
        *,
        ended: str = "",
        node: str = "",
        cause_type: str = "",
        message: str = "",
        stderr_tail: Iterable[str] = (),
        told: bool = False,
        vitals: str = "",
        records_in: int = 0,
        records_out: int = 0,
        batches: int = 0,
        gave_up: str = "",
    ) -> None:
        self.gave_up = gave_up
        self.category, self.group, self.worker = category, group, worker
        self.vitals, self.records_in = vitals, records_in
        self.records_out, self.batches = records_out, batches
        self.ended, self.node, self.cause_type, self.message = ended, node, cause_type, message
        self.stderr_tail, self.told = tuple(stderr_tail), told
        parts = [f"worker {worker} of group {group} failed ({category})"]
        parts += [text for text in (ended, message, gave_up) if text]
        lines = [": ".join(parts)]
        if batches:
            done = f"{batches:,} batches: {records_in:,} records in, {records_out:,} out"
            lines.append(f"  its last progress: {done}")
        lines += [] if told else [f"  | {line}" for line in self.stderr_tail]
        super().__init__("\n".join(lines))


class HandoffError(SupervisorError):
    """A request that was handed to a group has failed. Holds no payload and no text of a node's.

    ``category`` is ``timeout``, ``transport``, ``execution`` or ``cancelled``; ``node`` and
    ``cause_type`` say what failed, as far as that is known.
    """

    category: ClassVar[str] = "cancelled"
    problem: ClassVar[str] = "remote handoff was cancelled"

    def __init__(
        self, group: str, *, trace_id: str = "", node: str = "", cause_type: str = ""
    ) -> None:
        self.group, self.trace_id = group, trace_id
        self.node, self.cause_type = node, cause_type
        super().__init__(f"{self.problem} for group '{group}'")


class HandoffTimeoutError(HandoffError, TimeoutError):
    """There was no reply in time."""

    category = "timeout"
    problem = "remote handoff timed out"


class HandoffTransportError(HandoffError, ConnectionError):
    """There is no such group, or it was lost with the request in it."""

    category = "transport"
    problem = "remote handoff transport failed"


class HandoffFailedError(HandoffError, RuntimeError):
    """A node failed on the request."""

    category = "execution"
    problem = "remote handoff failed"


class ServiceFailedError(SupervisorError):
    """A run that served requests could not start, or has failed; ``said`` is what it said of it."""

    def __init__(self, code: int, said: str) -> None:
        self.code, self.said = code, said.strip()
        super().__init__(self.said or f"the run ended with exit code {code}")


class HubFailedError(SupervisorError):
    """The supervisor's own relay of frames between workers cannot go on. No worker is at fault."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the data hub failed: {problem}")


class ApplicationExitError(SupervisorError):
    """A node or an adapter called ``sys.exit()``, which is not its to call."""

    def __init__(self) -> None:
        super().__init__("a node or an adapter called sys.exit(): raise an error instead")


class NoSuchTraceError(SupervisorError):
    """No record of a replayed input has this trace id; ``read`` records were looked at."""

    exit_code = EXIT_OPERATION

    def __init__(self, trace_id: str, run_id: str, read: int | None = None) -> None:
        self.trace_id, self.run_id, self.read = trace_id, run_id, read
        if read is None:
            problem = f"it is none of run {run_id!r}: give the --run-id of the run that it is from"
        else:
            problem = f"run {run_id!r} has none in the {read:,} records of this input"
        super().__init__(f"no record has the trace id {trace_id!r}: {problem}")


class StartInterruptedError(SupervisorError):
    """A stop was requested while the workers were starting."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"stopped while starting: {reason}")


class StopForcedError(SupervisorError):
    """A second request to stop came before the work had drained."""

    exit_code = EXIT_STOP_TIMEOUT

    def __init__(self, workers: Iterable[str]) -> None:
        self.workers = tuple(workers)
        late = f": not drained: {', '.join(self.workers)}" if self.workers else ""
        super().__init__(f"stopped at once by a second request{late}")


class StopTimeoutError(SupervisorError, TimeoutError):
    """Workers had to be ended by force because the stop took longer than its budget."""

    exit_code = EXIT_STOP_TIMEOUT

    def __init__(self, workers: Iterable[str], budget_seconds: float) -> None:
        self.workers, self.budget_seconds = tuple(workers), budget_seconds
        super().__init__(
            f"stop took longer than {budget_seconds:g} s; ended by force: {', '.join(self.workers)}"
        )


class RunDirError(SupervisorError):
    """A run directory cannot be had, or is not safe: others could tamper with what is in it."""

    exit_code = EXIT_START

    def __init__(self, path: PathLike[str], problem: str) -> None:
        self.path, self.problem = fspath(path), problem
        super().__init__(f"run directory {self.path}: {problem}")


class HealthBindError(SupervisorError):
    """An address for probes cannot be had; ``listener`` is ``http`` or ``grpc``.

    Free it, or choose another one in the configuration.
    """

    exit_code = EXIT_START

    def __init__(self, listener: str, address: str, problem: str) -> None:
        self.listener, self.address, self.problem = listener, address, problem
        path = f"runtime.platform.health.{listener}"
        super().__init__(f"{path}: cannot listen on {address}: {problem}")


class OperationError(SupervisorError):
    """A command that looks at a run, or at what one has written, could not do what it was asked."""

    exit_code = EXIT_OPERATION


class NoSuchRunError(OperationError):
    """No run of this user's goes by that name; without a name, there is none at all."""

    def __init__(self, wanted: str | None, folders: Iterable[PathLike[str]]) -> None:
        self.wanted, self.folders = wanted, tuple(map(fspath, folders))
        problem = f"no run of yours is {wanted!r}" if wanted else "no run of yours is under way"
        where = ", ".join(self.folders) or "there is no run directory"
        super().__init__(f"{problem} (looked in: {where}; SK_RUN_DIR names another)")


class SeveralRunsError(OperationError):
    """More than one run could be meant."""

    def __init__(self, run_ids: Iterable[str]) -> None:
        self.run_ids = tuple(run_ids)
        super().__init__(f"several runs, name one: {', '.join(self.run_ids)}")


class RunGoneError(OperationError):
    """A run ended before it had answered."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"run {run_id} has ended")


class RunSilentError(OperationError):
    """A run did not answer in time: it is suspended, or still stopping."""

    def __init__(self, run_id: str, seconds: float) -> None:
        self.run_id, self.seconds = run_id, seconds
        super().__init__(f"run {run_id} has not answered within {seconds:g} s")


class AdminRefusedError(OperationError):
    """A run refused a request; ``category`` is its word for why."""

    def __init__(self, category: str, message: str) -> None:
        self.category, self.message = category, message
        super().__init__(f"the run refused ({category}): {message}")


class AdminAnswerError(OperationError):
    """What a run answered makes no sense."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the run's answer is not understood: {problem}")


class StatusVersionError(OperationError):
    """A run speaks a version that this ``sk`` does not know."""

    def __init__(self, version: int, known: int) -> None:
        self.version, self.known = version, known
        told = f"the run speaks version {version}, and this sk knows version {known}"
        super().__init__(f"{told}: use the sk that it was started with")


class RecordedFileError(OperationError):
    """A file that a run wrote, or a page about it, cannot be read or written."""

    def __init__(self, path: str, action: str, problem: str) -> None:
        self.path, self.action, self.problem = path, action, problem
        super().__init__(f"cannot {action} {path}: {problem}")


class ProfileError(OperationError):
    """What a profiled run has measured cannot be written or read. The run itself is as it was."""

    def __init__(self, action: str, problem: str) -> None:
        self.action, self.problem = action, problem
        super().__init__(f"cannot {action} a profile: {problem}")


class NotRecordedError(OperationError):
    """Files do not hold what was looked for: a trace, or the events of a run."""

    def __init__(self, what: str, paths: Iterable[str]) -> None:
        self.what, self.paths = what, tuple(paths)
        super().__init__(f"there is no {what} in {', '.join(self.paths)}")


class SeveralTracesError(OperationError):
    """More than one trace could be meant; ``trace_ids`` has some of them."""

    def __init__(self, trace_ids: Iterable[str]) -> None:
        self.trace_ids = tuple(trace_ids)
        super().__init__(f"several traces, name one by --trace: {', '.join(self.trace_ids)}")
