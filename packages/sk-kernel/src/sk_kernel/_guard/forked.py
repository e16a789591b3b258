"""Guards against forks by the application: a forked child must not go on with the run's code."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import TracebackType
from typing import Final, NoReturn

from sk_kernel._guard.lineage import Lineage
from sk_kernel._guard.whereabouts import application_traceback
from sk_kernel.errors import KernelError

_FORKED: Final = "which the application forked,"
_ENDED: Final = (
    "into the run of its parent, and was ended there: end such a process by os._exit(), in the code"
    " that forks it"
)


class OwnProcess:
    """Context manager around application code: only the process that entered the block leaves it.

    A process forked within the block is ended by ``os._exit`` when the application code returns or
    raises, so that it does not end, flush or close anything of the run or of the program around it.
    Its exit code is the one given to ``sys.exit``, 130 after a Ctrl-C, or else 1. A message on
    standard error gives the reason, except after a Ctrl-C and a ``sys.exit`` with a number or None.
    """

    __slots__ = ("_forks",)

    def __enter__(self) -> None:
        self._forks = Lineage.forks

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._forks != Lineage.forks:
            _end(error)


def _end(error: BaseException | None) -> NoReturn:
    """End this forked process, because the application code returned (None) or raised ``error``."""
    code = 1
    try:
        if isinstance(error, KernelError) and error.__cause__ is not None:
            error = error.__cause__
        code, words = _ended_by(error)
        if words:
            # Not sys.stderr: a thread that does not exist in this process may have held its lock.
            with suppress(OSError):
                os.write(2, f"error: process {os.getpid()}, {words}\n".encode(errors="replace"))
    finally:
        os._exit(code)


def _ended_by(error: BaseException | None) -> tuple[int, str]:
    """Return the exit code and the message for a forked process that raised, or returned (None)."""
    match error:
        case None:
            return 1, f"{_FORKED} returned {_ENDED}"
        case SystemExit(code=None):
            return 0, ""
        case SystemExit(code=int(code)):
            return code & 0xFF, ""
        case SystemExit(code=why):
            return 1, f"{_FORKED} ended: {why}"
        case KeyboardInterrupt():
            return 128 + signal.SIGINT, ""
    return 1, f"{_FORKED} raised {_ENDED}\n{application_traceback(error)}"
