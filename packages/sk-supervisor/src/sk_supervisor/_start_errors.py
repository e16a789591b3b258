"""Errors of a start: a worker was not ready, or a system limit leaves too little for the run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sk_supervisor._base_error import EXIT_START, SupervisorError

if TYPE_CHECKING:
    from sk_supervisor._limits.need import Shortage


class RuntimeLifecycleReadyError(SupervisorError):
    """Workers were not ready in time, or ended before they were ready."""

    exit_code = EXIT_START

    def __init__(
        self, category: str, workers: Iterable[str], waited_seconds: float, detail: str = ""
    ) -> None:
        self.category, self.workers = category, tuple(workers)
        self.waited_seconds, self.detail = waited_seconds, detail
        problem = detail or f"not ready: {', '.join(self.workers)}"
        super().__init__(f"start failed ({category}) after {waited_seconds:.1f} s: {problem}")


class SystemLimitError(RuntimeLifecycleReadyError):
    """A system limit leaves less than the run needs. No process was started.

    ``limit`` is ``RLIMIT_NOFILE``, ``RLIMIT_NPROC`` or the path of a ``pids.max``. The run needs
    ``needed``; ``left`` is available, of ``allowed`` in total. The category is ``limit``.
    """

    def __init__(self, groups: Iterable[str], short: Shortage) -> None:
        self.limit, self.allowed = short.limit.name, short.limit.allowed
        self.left, self.needed = short.limit.left, short.needed
        super().__init__("limit", groups, 0.0, str(short))
