"""Every exception of sk-supervisor, on one screen, each with the exit code that a run ends with.

The exit codes are a documented contract: 0 done, 2 configuration, 3 start or readiness, 4 worker
failure, 5 stop timeout (forced), 130 and 143 stopped by SIGINT and SIGTERM after a clean drain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sk_kernel import Fault

EXIT_DONE = 0
EXIT_CONFIGURATION = 2
EXIT_START = 3
EXIT_WORKER = 4
EXIT_STOP_TIMEOUT = 5
EXIT_SIGNAL_BASE = 128


class SupervisorError(Exception):
    """Base of every error that sk-supervisor raises."""

    exit_code: ClassVar[int] = EXIT_WORKER


class RunRefusedError(SupervisorError):
    """The configuration cannot run; ``faults`` holds every reason, and no process was started."""

    exit_code = EXIT_CONFIGURATION

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


class RuntimeLifecycleResolutionError(SupervisorError):
    """A lifecycle call came that the supervisor's state does not allow, or without its binding."""

    exit_code = EXIT_START

    def __init__(self, wanted: str, problem: str) -> None:
        self.wanted, self.problem = wanted, problem
        super().__init__(f"{wanted}: {problem}")


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


class RuntimeWorkerFailedError(SupervisorError):
    """A worker failed while work was under way.

    ``category`` is one of ``crash``, ``heartbeat``, ``execution``, ``transport``, ``protocol`` (or,
    as the cause of a failed start, ``start`` and ``timeout``); ``ended`` says how the process ended
    (``exit code 1``, ``signal SIGKILL``), ``stderr_tail`` holds the last lines that it wrote,
    ``node`` and ``cause_type`` say what failed. What the worker ``told`` of itself is enough for
    the message; otherwise the last lines are part of it.
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
    ) -> None:
        self.category, self.group, self.worker = category, group, worker
        self.ended, self.node, self.cause_type, self.message = ended, node, cause_type, message
        self.stderr_tail, self.told = tuple(stderr_tail), told
        parts = [f"worker {worker} of group {group} failed ({category})"]
        parts += [text for text in (ended, message) if text]
        tail = "" if told else "".join(f"\n  | {line}" for line in self.stderr_tail)
        super().__init__(": ".join(parts) + tail)


class HubFailedError(SupervisorError):
    """The supervisor's own relay of frames between workers cannot go on. No worker is at fault."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the data hub failed: {problem}")


class ApplicationExitError(SupervisorError):
    """A node or an adapter called ``sys.exit()``, which is not its to call."""

    def __init__(self) -> None:
        super().__init__("a node or an adapter called sys.exit(): raise an error instead")


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


def refusal(error: Exception) -> str:
    """What a person is told of a configuration that cannot run: one line, or one for each fault."""
    first, *more = str(error).splitlines()
    if not more:
        return f"error: {first}"
    return "\n".join(["error: the configuration cannot run:", *(f"  {x}" for x in (first, *more))])
