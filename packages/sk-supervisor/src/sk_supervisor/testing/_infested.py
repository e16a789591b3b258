"""Discovered before the application: lets a beast out in the worker that the zoo names, if it does.

Where the environment names none, or in any other process, importing this does nothing.
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

#: Holds, as JSON, the name of the beast, the group and node, the record, and the zoo's folder.
VARIABLE: Final = "SK_ZOO"


class Infested:
    """A node, with a beast that comes out on one of its records; then it is the node again."""

    def __init__(self, made: Any, deed: Callable[[], None], at: int) -> None:
        self._made, self._deed, self._at = made, deed, at
        self._calls = itertools.count(1)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The node's own call."""
        if next(self._calls) == self._at:
            self._deed()
        return self._made(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)


def announce(folder: str) -> None:
    """Leave word that the beast is out, and when."""
    path = os.path.join(folder, f"out-{os.getpid()}")
    with open(f"{path}.new", "w", encoding="ascii") as file:
        file.write(repr(time.time()))
    os.rename(f"{path}.new", path)


def release(beast: str, group: str, node: str, at: int, folder: str) -> None:
    """Let the beast out here, now or later, if this is a worker of its group."""
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
    """The thread of a worker that says nothing of itself."""


if VARIABLE in os.environ:
    release(**json.loads(os.environ[VARIABLE]))
