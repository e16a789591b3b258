"""A process that the application forks is none of the run's: it ends where its code does."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import TracebackType
from typing import Final, NoReturn

from sk_kernel._application.whereabouts import application_traceback
from sk_kernel._record.lineage import Lineage
from sk_kernel.errors import KernelError

_FORKED: Final = "which the application forked,"
_ENDED: Final = (
    "into the run of its parent, and was ended there: end such a process by os._exit(), in the code"
    " that forks it"
)


class OwnProcess:
    """Around code of the application: only the process that it was begun in leaves the block.

    One that was forked in it ends where that code has returned or raised, by ``os._exit``: nothing
    of the run, and nothing of the program around it, is ended, flushed or closed there. The exit
    code is what ``sys.exit`` was given; else it is 1, or 130 behind a Ctrl-C, and standard error
    says why.
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
    """End this process: the code that has forked it has returned, or raised this."""
    code = 1
    try:
        if isinstance(error, KernelError) and error.__cause__ is not None:
            error = error.__cause__
        code, words = _ended_by(error)
        if words:
            # Not by sys.stderr: a thread that is not here may have held its lock.
            with suppress(OSError):
                os.write(2, f"error: process {os.getpid()}, {words}\n".encode(errors="replace"))
    finally:
        os._exit(code)


def _ended_by(error: BaseException | None) -> tuple[int, str]:
    """(the exit code, what is said) of a forked process that has raised this, or has returned."""
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
