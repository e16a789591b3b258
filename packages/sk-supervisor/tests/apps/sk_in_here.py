"""An ``sk`` command in the process of its test."""

from __future__ import annotations

import gc
import queue
import sys
import threading

import pytest
from sk_supervisor.cli import main
from supervisor_harness import PATIENCE


def in_here(*arguments: str, **environment: str) -> int:
    """The exit code of an ``sk`` command that runs to its end in this process.

    One that looks at something, a run in other processes say, needs none of its own.
    """
    ended: queue.SimpleQueue[BaseException] = queue.SimpleQueue()

    def command() -> None:
        try:
            main(arguments, prog_name="sk")
        except BaseException as end:  # noqa: BLE001 - it is the test's thread that raises it
            ended.put(end)

    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "path", [*sys.path])  # to which it adds the folder that it is run from
        threading.Thread(target=command, name="sk", daemon=True).start()
        end = ended.get(timeout=PATIENCE)
    gc.unfreeze()  # as this process, unlike a command's own, is not at its end
    if not isinstance(end, SystemExit):
        raise end
    return int(end.code or 0)
