"""Release a beast in a worker of the group that the zoo names; discovered before the application.

Importing this module does nothing if the environment names no beast, or in any other process.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from sk_kernel.runtime import ApplicationContext, Container

from sk_supervisor._worker.pulse import Pulse
from sk_supervisor.testing._deeds import AT_IMPORT, ON_A_RECORD

#: The environment variable with the arguments of :func:`release`, as JSON.
VARIABLE: Final = "SK_ZOO"


class Infested:
    """A node that runs the beast on its ``at``-th call, and is the plain node otherwise."""

    def __init__(self, made: Any, deed: Callable[[], None], at: int) -> None:
        self._made, self._deed, self._at = made, deed, at
        self._calls = itertools.count(1)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the node; before its ``at``-th call, run the beast."""
        if next(self._calls) == self._at:
            self._deed()
        return self._made(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)


def announce(folder: str) -> None:
    """Write the time of the beast's release to a file in ``folder``."""
    path = os.path.join(folder, f"out-{os.getpid()}")
    with open(f"{path}.new", "w", encoding="ascii") as file:
        file.write(repr(time.time()))
    os.rename(f"{path}.new", path)


def release(beast: str, group: str, node: str, at: int, folder: str) -> None:
    """If this is a worker of ``group``, run the beast now or arrange it for record ``at``."""
    is_worker = sys.argv[0].endswith("child.py")
    if not is_worker or not re.fullmatch(rf"{re.escape(group)}-\d+\.\d+", sys.argv[-1]):
        return

    def out() -> None:
        announce(folder)

    if beast in AT_IMPORT:
        AT_IMPORT[beast](out)
        return
    if beast == "ready_and_silent":
        Pulse._beat = _no_pulse  # type: ignore[method-assign]
    make_node = ApplicationContext.make_node

    def infest(self: ApplicationContext, name: str, container: Container) -> Any:
        made = make_node(self, name, container)
        return Infested(made, lambda: ON_A_RECORD[beast](out), at) if name == node else made

    ApplicationContext.make_node = infest  # type: ignore[method-assign]


def _no_pulse(self: Pulse) -> None:
    """Replace the heartbeat thread's function: send nothing."""


if VARIABLE in os.environ:
    release(**json.loads(os.environ[VARIABLE]))
