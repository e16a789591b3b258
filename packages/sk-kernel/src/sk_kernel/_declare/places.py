"""Where something stands in an application's code, in the words of an error."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

#: Whose frames say nothing to whoever wrote the code.
OURS = ("sk_kernel", "sk_observability", "sk_supervisor", "importlib")


def defined_at(target: Any) -> str:
    """File and line of a function or class, as ``nodes.py, line 3``; empty where there is none.

    Empty, too, for what is the runtime's own, which nobody is to mend.
    """
    if is_ours(getattr(target, "__module__", None)):
        return ""
    try:
        own = inspect.unwrap(target)
        return last_place([(inspect.getfile(own), inspect.getsourcelines(own)[1])])
    except (OSError, TypeError, ValueError, SyntaxError):  # built in, or its file is gone
        return ""


def declaring_place() -> str:
    """File and line of the application's code that is calling the runtime now, as above."""
    return last_place([(frame.f_code.co_filename, frame.f_lineno) for frame in _calling()])


def last_place(lines: list[tuple[str, int]]) -> str:
    """The last of several, of those below the working directory, if there are any.

    What they have called of a library is nobody's to mend.
    """
    if not lines:
        return ""
    with contextlib.suppress(OSError):  # the working directory is gone: then the whole path
        here = os.path.join(os.getcwd(), "")
        near = [(path[len(here) :], at) for path, at in lines if path.startswith(here)]
        lines = near or lines
    path, at = lines[-1]
    return f"{path}, line {at}"


def is_ours(module: object) -> bool:
    """Whether a module of this name is one of the runtime's."""
    return str(module or "").partition(".")[0] in OURS


def _calling() -> Iterable[FrameType]:
    """The application's frames between two of the runtime's, outermost first."""
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
