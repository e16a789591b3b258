"""Where in an application's own code something was raised, without the frames of what called it."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Iterator
from types import TracebackType

#: Whose frames say nothing to whoever wrote the code that raised.
_OURS = ("sk_kernel", "sk_supervisor", "importlib")


def application_traceback(error: BaseException) -> str:
    """The traceback of what an application's code raised, from the first of its own frames on."""
    own = next(_own(error.__traceback__), error.__traceback__)
    return "".join(traceback.format_exception(type(error), error, own)).rstrip()


def line_of(error: BaseException) -> str:
    """The application's line that raised, as ``(nodes.py, line 3)``; empty where none of it did."""
    if isinstance(error, SyntaxError):
        return ""  # its text says so
    frames = list(_own(error.__traceback__))
    if not frames:
        return ""
    path = frames[-1].tb_frame.f_code.co_filename
    with contextlib.suppress(OSError):  # the working directory is gone: then the whole path
        path = path.removeprefix(os.path.join(os.getcwd(), ""))
    return f" ({path}, line {frames[-1].tb_lineno})"


def _own(frames: TracebackType | None) -> Iterator[TracebackType]:
    while frames is not None:
        module = str(frames.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _OURS:
            yield frames
        frames = frames.tb_next
