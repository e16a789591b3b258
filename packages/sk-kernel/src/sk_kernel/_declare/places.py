"""Places in an application's code, for error messages."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

#: Packages whose frames are left out of a place: they are not the application's code.
OURS = ("sk_kernel", "sk_observability", "sk_supervisor", "importlib")


def defined_at(target: Any) -> str:
    """Return file and line of a function or class, as ``nodes.py, line 3``; empty if there is none.

    Also empty for the runtime's own objects, which the application's author cannot mend.
    """
    if is_ours(getattr(target, "__module__", None)):
        return ""
    try:
        own = inspect.unwrap(target)
        return last_place([(inspect.getfile(own), inspect.getsourcelines(own)[1])])
    except (OSError, TypeError, ValueError, SyntaxError):  # built in, or its file is gone
        return ""


def declaring_place() -> str:
    """Return file and line of the application's code that is calling the runtime now."""
    return last_place([(frame.f_code.co_filename, frame.f_lineno) for frame in _calling()])


def last_place(lines: list[tuple[str, int]]) -> str:
    """Return the last of several places, preferring those below the working directory.

    Frames of a library that the application called are not its author's code.
    """
    if not lines:
        return ""
    with contextlib.suppress(OSError):  # if the working directory is gone: the whole path
        here = os.path.join(os.getcwd(), "")
        near = [(path[len(here) :], at) for path, at in lines if path.startswith(here)]
        lines = near or lines
    path, at = lines[-1]
    return f"{path}, line {at}"


def is_ours(module: object) -> bool:
    """Return whether a module of this name belongs to the runtime."""
    return str(module or "").partition(".")[0] in OURS


def _calling() -> Iterable[FrameType]:
    """Return the application's frames between two of the runtime's, outermost first."""
    return reversed(list(_outwards(sys._getframe())))


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    found = False
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not is_ours(module):
            found = True
            yield frame
        elif found and not module.startswith("importlib"):
            return
        frame = frame.f_back
