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
    told = traceback.TracebackException(type(error), error, own)
    _forget_attempts(told, error)
    return "".join(told.format()).rstrip()


def _forget_attempts(told: traceback.TracebackException, error: BaseException) -> None:
    """Leave out the errors of a node's earlier attempts.

    The next attempt is made while the error of the last one is handled, so Python chains them. An
    error that the application itself handled has never come up to a frame of ours, and stays.
    """
    before = None if error.__context__ is None else error.__context__.__traceback__
    if before is not None and next(_own(before), None) is not before:
        told.__context__ = None
    for inner, one in (
        (told.__cause__, error.__cause__),
        (told.__context__, error.__context__),
    ):
        if inner is not None and one is not None:
            _forget_attempts(inner, one)


def line_of(error: BaseException) -> str:
    """The application's line that raised, as ``(nodes.py, line 3)``; empty where none of it did.

    Of several the last, and of those below the working directory, if there are any: what they have
    called of a library is nobody's to mend.
    """
    if isinstance(error, SyntaxError):
        return ""  # its text says so
    frames = list(_own(error.__traceback__))
    if not frames:
        return ""
    lines = [(frame.tb_frame.f_code.co_filename, frame.tb_lineno) for frame in frames]
    with contextlib.suppress(OSError):  # the working directory is gone: then the whole path
        here = os.path.join(os.getcwd(), "")
        near = [(path[len(here) :], at) for path, at in lines if path.startswith(here)]
        lines = near or lines
    path, at = lines[-1]
    return f" ({path}, line {at})"


def _own(frames: TracebackType | None) -> Iterator[TracebackType]:
    while frames is not None:
        module = str(frames.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _OURS:
            yield frames
        frames = frames.tb_next
