"""Putting a file of dead letters in its place: of a regular file, or of nothing."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import Final

from sk_kernel._letters.keep import keep_former
from sk_kernel._letters.lock import locked
from sk_kernel._paths import is_path
from sk_kernel._remedy import with_remedy
from sk_kernel.errors import DeadLetterError

#: Bytes that the longest name of a file or folder beside a file of letters has more than its own.
BESIDE: Final = len(".abcdefgh.parts")


def place_of(path: str) -> str:
    """The absolute path of the file, through links: that is replaced, and a link to it is kept.

    :raises DeadLetterError: when the system can have no such path, or the path is relative and the
        working directory is gone.
    """
    if not is_path(path):
        raise DeadLetterError("open", ascii(path), "it is a text that is no path")
    try:
        return os.path.realpath(path)
    except OSError as error:
        problem = f"it is relative, and the working directory is gone ({error.strerror})"
        raise DeadLetterError("open", path, problem) from error


@contextlib.contextmanager
def told_of(action: str, path: str) -> Iterator[None]:
    """Tell of what the file system refuses in the block as a :class:`DeadLetterError`."""
    try:
        yield
    except OSError as error:
        told = error
        if error.filename == path and error.filename2 is None:  # it is in the message already
            told = OSError(error.errno, error.strerror)
        raise DeadLetterError(action, path, with_remedy(told)) from error


def may_be_replaced(path: str) -> bool:
    """Whether a file may take the place of what is there: of a regular file, or of nothing."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:  # what cannot be looked at is refused by the system
        return True


def refuse_others(path: str) -> None:
    """Refuse a place that is taken by something that is no file.

    :raises DeadLetterError: when it is.
    """
    if not may_be_replaced(path):
        raise DeadLetterError("replace", path, "it is no regular file")


def put_in_place(target: str, staged: str) -> None:
    """Give the letters in ``staged`` the place ``target``; those that are there are kept beside it.

    Runs that end at the same time take turns: each keeps the letters of the one before it.

    :raises DeadLetterError: when something that is no file has come there, or the file system
        refuses.
    """
    with told_of("put in place", target), locked(target):
        refuse_others(target)
        os.chmod(staged, _mode_of(target))
        keep_former(target, staged)
        os.replace(staged, target)
    _sync_folder(os.path.dirname(target))


def _mode_of(path: str) -> int:
    """Who may read the letters: who may now, and nobody else where there are none yet."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return 0o600


def _sync_folder(folder: str) -> None:
    """What is in place stays so behind a power failure, where the file system can promise that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
