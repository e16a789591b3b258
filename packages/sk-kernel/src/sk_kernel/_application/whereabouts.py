"""Where in an application's own code something was raised, without the frames of what called it."""

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
    """As :func:`raised_at`, to be put behind a text: in brackets, or empty."""
    place = raised_at(error)
    return f" ({place})" if place else ""


def raised_at(error: BaseException) -> str:
    """The application's line that raised, as ``nodes.py, line 3``; empty where none of it did.

    Of several the last, and of those below the working directory, if there are any: what they have
    called of a library is nobody's to mend. So the standard library's do not count, nor those of
    another package than the application's that is installed, wherever that lies.
    """
    if isinstance(error, SyntaxError):
        return ""  # its text says so
    frames = list(_own(error.__traceback__))
    theirs = list(_without_libraries(frames)) or frames
    return last_place([(_file(each), each.tb_lineno) for each in theirs])


def _without_libraries(frames: Iterable[TracebackType]) -> Iterator[TracebackType]:
    """Those of the first one's package, which the runtime has called, and what is not installed."""
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
