"""Every exception of sk-supervisor, each with the exit code that a run ends with.

The exceptions of a run are defined here; those for peers' frames, workers, starts and commands are
re-exported. The exit codes are a documented contract (``docs/operating.md``): 0 done, also if a
stop has drained a run with an unbounded source; 1 a command could not do its task; 2 faults in the
configuration, or wrong usage; 3 start or readiness failed; 4 worker failure; 5 forced end, or stop
timeout; 129, 130 and 143 stopped by SIGHUP, SIGINT and SIGTERM (or ``sk stop``) after a clean
drain; 141 nobody reads standard output any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from types import MappingProxyType
from typing import ClassVar, Final

from sk_kernel import Fault, LifecycleCallError, RunError
from sk_kernel.runtime import line_of

from sk_supervisor._base_error import EXIT_CONFIGURATION as EXIT_CONFIGURATION
from sk_supervisor._base_error import EXIT_DONE as EXIT_DONE
from sk_supervisor._base_error import EXIT_OPERATION as EXIT_OPERATION
from sk_supervisor._base_error import EXIT_READER_GONE as EXIT_READER_GONE
from sk_supervisor._base_error import EXIT_SIGNAL_BASE as EXIT_SIGNAL_BASE
from sk_supervisor._base_error import EXIT_START as EXIT_START
from sk_supervisor._base_error import EXIT_STOP_TIMEOUT as EXIT_STOP_TIMEOUT
from sk_supervisor._base_error import EXIT_WORKER as EXIT_WORKER
from sk_supervisor._base_error import SupervisorError as SupervisorError
from sk_supervisor._operation_errors import AdminAnswerError as AdminAnswerError
from sk_supervisor._operation_errors import AdminRefusedError as AdminRefusedError
from sk_supervisor._operation_errors import NoSuchRunError as NoSuchRunError
from sk_supervisor._operation_errors import NotRecordedError as NotRecordedError
from sk_supervisor._operation_errors import OperationError as OperationError
from sk_supervisor._operation_errors import ProfileError as ProfileError
from sk_supervisor._operation_errors import RecordedFileError as RecordedFileError
from sk_supervisor._operation_errors import RunGoneError as RunGoneError
from sk_supervisor._operation_errors import RunSilentError as RunSilentError
from sk_supervisor._operation_errors import SeveralRunsError as SeveralRunsError
from sk_supervisor._operation_errors import SeveralTracesError as SeveralTracesError
from sk_supervisor._operation_errors import StatusVersionError as StatusVersionError
from sk_supervisor._peer_errors import AlignmentError as AlignmentError
from sk_supervisor._peer_errors import HeaderError as HeaderError
from sk_supervisor._peer_errors import RelayRefusedError as RelayRefusedError
from sk_supervisor._start_errors import (
    RuntimeLifecycleReadyError as RuntimeLifecycleReadyError,
)
from sk_supervisor._start_errors import SystemLimitError as SystemLimitError
from sk_supervisor._worker_errors import LAST_LINE as LAST_LINE
from sk_supervisor._worker_errors import AtHand as AtHand
from sk_supervisor._worker_errors import RuntimeWorkerFailedError as RuntimeWorkerFailedError

#: A trace id that may be shortened.
_SHORTENED: Final = re.compile("[0-9a-fA-F]{1,31}")


class RunRefusedError(SupervisorError):
    """The configuration cannot run; ``faults`` has every reason. No process was started."""

    exit_code = EXIT_CONFIGURATION

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


class RuntimeLifecycleResolutionError(SupervisorError, LifecycleCallError):
    """A lifecycle call is not allowed in this state of the supervisor, or lacks its binding."""

    exit_code = EXIT_START


class BundleRejectedError(SupervisorError):
    """This version of the worker cannot be built from the bootstrap bundle."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"bootstrap bundle rejected: {problem}")


class HandoffError(SupervisorError):
    """A request to a group failed. The error has no payload and no text from a node.

    ``category`` is ``timeout``, ``transport``, ``execution`` or ``cancelled``; ``node`` and
    ``cause_type`` name what failed, as far as that is known.
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
    """No reply came in time."""

    category = "timeout"
    problem = "remote handoff timed out"


class HandoffTransportError(HandoffError, ConnectionError):
    """The group was lost while it had the request."""

    category = "transport"
    problem = "remote handoff transport failed"


class HandoffFailedError(HandoffError, RuntimeError):
    """A node failed while it processed the request."""

    category = "execution"
    problem = "remote handoff failed"


class ServiceFailedError(SupervisorError):
    """A run that serves requests could not start, or failed; ``said`` is its error message."""

    def __init__(self, code: int, said: str) -> None:
        self.code, self.said = code, said.strip().removeprefix("error: ")
        super().__init__(self.said or f"the run ended with exit code {code}")


class HubFailedError(SupervisorError):
    """The supervisor's hub, which relays frames between workers, failed. No worker is at fault."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the data hub failed: {problem}")


class ApplicationExitError(SupervisorError):
    """A node or an adapter tried to end the process, which it must not do.

    ``raised`` is the type of the exception that it raised: ``SystemExit`` or ``KeyboardInterrupt``.
    """

    def __init__(self, cause: BaseException | None = None) -> None:
        self.raised = type(cause or SystemExit()).__name__
        self.__cause__ = cause
        did = "called sys.exit()" if self.raised == "SystemExit" else f"raised {self.raised}"
        where = line_of(cause) if cause else ""
        super().__init__(f"a node or an adapter {did}{where}: raise an error instead")


class NoSuchTraceError(SupervisorError):
    """No record of a replayed input has this trace id; ``read`` records were searched."""

    exit_code = EXIT_OPERATION

    def __init__(self, trace_id: str, run_id: str, read: int | None = None) -> None:
        self.trace_id, self.run_id, self.read = trace_id, run_id, read
        is_short = _SHORTENED.fullmatch(trace_id) is not None
        if read is not None:
            problem = f"run {run_id!r} has none in the {read:,} records of this input"
            problem += "; a shortened id is not enough" if is_short else ""
        elif is_short:
            whole = f"give the whole id (`sk trace FILE --trace {trace_id}` prints it)"
            problem = f"it has {len(trace_id)} of 32 hexadecimal digits: {whole}"
        else:
            problem = f"it is none of run {run_id!r}: give the --run-id of the run that it is from"
        super().__init__(f"no record has the trace id {trace_id!r}: {problem}")


class NoSuchRecordError(SupervisorError):
    """A replayed input, of ``read`` records, has no record with this number."""

    exit_code = EXIT_OPERATION

    def __init__(self, number: int, read: int) -> None:
        self.number, self.read = number, read
        super().__init__(f"there is no record {number}: this input has {read:,}")


class EarlierRecordError(SupervisorError):
    """A record before the one to be replayed failed; ``error`` is its failure.

    ``wanted`` describes the record to be replayed.
    """

    def __init__(self, wanted: str, error: RunError) -> None:
        self.wanted, self.error = wanted, error
        own = f"; its own trace is {error.trace_id}" if error.trace_id else ""
        super().__init__(f"{error}, before {wanted}{own}")


class StartInterruptedError(SupervisorError):
    """A stop was requested while the workers were starting."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"stopped while starting: {reason}")


_NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})


def _told(why: Mapping[str, str]) -> str:
    """Return one line for each worker, with what it was doing."""
    return "".join(f"\n  {worker} {words}" for worker, words in why.items())


class StopForcedError(SupervisorError):
    """A forced stop was requested before the work had drained.

    ``why`` says for each of the ``workers`` what it was doing when it last reported.
    """

    exit_code = EXIT_STOP_TIMEOUT

    def __init__(self, workers: Iterable[str], why: Mapping[str, str] = _NO_WORDS) -> None:
        self.workers, self.why = tuple(workers), dict(why)
        late = f": not drained: {', '.join(self.workers)}{_told(why)}" if self.workers else ""
        super().__init__(f"stopped at once, by force{late}")


class StopTimeoutError(SupervisorError, TimeoutError):
    """Workers had to be ended by force because the stop took longer than its budget.

    ``why`` says for each of the ``workers`` what it was doing when it last reported.
    ``drain_seconds`` is the drain's share of the budget if only that was exceeded, else None.
    """

    exit_code = EXIT_STOP_TIMEOUT

    def __init__(
        self,
        workers: Iterable[str],
        budget_seconds: float,
        why: Mapping[str, str] = _NO_WORDS,
        *,
        drain_seconds: float | None = None,
    ) -> None:
        self.workers, self.budget_seconds = tuple(workers), budget_seconds
        self.why, self.drain_seconds = dict(why), drain_seconds
        ended = f"ended by force: {', '.join(self.workers)}{_told(why)}"
        over = f"the stop took longer than {budget_seconds:g} s"
        if drain_seconds is not None:
            share = f"its share of stop_timeout_seconds: {budget_seconds:g}"
            over = f"the drain took longer than {drain_seconds:.3g} s ({share})"
        super().__init__(f"{over}; {ended}")


class RunDirError(SupervisorError):
    """A run directory cannot be used, or is not safe: other users could change what is in it."""

    exit_code = EXIT_START

    def __init__(self, path: PathLike[str], problem: str) -> None:
        self.path, self.problem = fspath(path), problem
        super().__init__(f"run directory {self.path}: {problem}")


class HealthBindError(SupervisorError):
    """A health listener cannot bind its address; ``listener`` is ``http`` or ``grpc``.

    Free the address, or choose another one in the configuration.
    """

    exit_code = EXIT_START

    def __init__(self, listener: str, address: str, problem: str) -> None:
        self.listener, self.address, self.problem = listener, address, problem
        path = f"runtime.platform.health.{listener}"
        super().__init__(f"{path}: cannot listen on {address}: {problem}")
