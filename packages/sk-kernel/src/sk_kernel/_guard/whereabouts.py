"""Find the place in an application's code that raised, without the frames of the runtime."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from sk_kernel._declare.places import is_ours, last_place

#: The folders of installed packages.
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})


def application_traceback(error: BaseException) -> str:
    """Format the traceback of an error from the first frame of the application's code on."""
    own = next(_own(error.__traceback__), error.__traceback__)
    told = traceback.TracebackException(type(error), error, own)
    _forget_attempts(told, error)
    return "".join(told.format()).rstrip()


def _forget_attempts(told: traceback.TracebackException, error: BaseException) -> None:
    """Remove the errors of a node's earlier attempts from a formatted chain of exceptions.

    The next attempt is made while the error of the last one is handled, so Python chains them. An
    error that the application itself handled has no frame of the runtime, and is kept.
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
    """Return :func:`raised_at` in brackets, to be appended to a message; empty if there is none."""
    place = raised_at(error)
    return f" ({place})" if place else ""


def raised_at(error: BaseException) -> str:
    """Return the application's line that raised, as ``nodes.py, line 3``; empty if there is none.

    Of several lines this is the last one, and one below the working directory is preferred: the
    user cannot change the libraries that these lines call. So lines of the standard library do not
    count, nor those of any installed package except the application's own, wherever that lies.
    """
    if isinstance(error, SyntaxError):
        return ""  # the error's text names the line
    frames = list(_own(error.__traceback__))
    theirs = list(_without_libraries(frames)) or frames
    return last_place([(_file(each), each.tb_lineno) for each in theirs])


def _without_libraries(frames: Iterable[TracebackType]) -> Iterator[TracebackType]:
    """Yield frames outside the standard library: of the package called first, or not installed."""
    own = [each for each in frames if _package(each) not in sys.stdlib_module_names]
    for each in own:
        is_installed = not _INSTALLED.isdisjoint(Path(_file(each)).parts)
        if _package(each) == _package(own[0]) or not is_installed:
            yield each


def _file(frame: TracebackType) -> str:
    return frame.tb_frame.f_code.co_filename


def _package(frame: TracebackType) -> str:
    return str(frame.tb_frame.f_globals.get("__name__")).partition(".")[0]


def _own(frames: TracebackType | None) -> Iterator[TracebackType]:
    while frames is not None:
        if not is_ours(frames.tb_frame.f_globals.get("__name__")):
            yield frames
        frames = frames.tb_next
