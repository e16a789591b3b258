"""The base of every exception of sk-supervisor, and the exit codes that a run ends with."""

from __future__ import annotations

from typing import ClassVar

from sk_kernel import LifecycleError

EXIT_DONE = 0
EXIT_OPERATION = 1
EXIT_CONFIGURATION = 2
EXIT_START = 3
EXIT_WORKER = 4
EXIT_STOP_TIMEOUT = 5
EXIT_SIGNAL_BASE = 128
EXIT_READER_GONE = 141  # 128 + SIGPIPE, the shell's exit code for a tool that SIGPIPE has ended


class SupervisorError(LifecycleError):
    """Base of every error that sk-supervisor raises."""

    exit_code: ClassVar[int] = EXIT_WORKER
