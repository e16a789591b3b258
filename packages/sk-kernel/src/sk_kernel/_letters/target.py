"""Put a file of dead letters at its target, which must be a regular file or not exist."""

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

#: The most bytes added to the target's name for a file or folder beside it.
BESIDE: Final = len(".abcdefgh.parts")


def resolved_target(path: str) -> str:
    """Return the absolute path with links resolved: that file is replaced, and links are kept.

    :raises DeadLetterError: when the text cannot be a path, or the path is relative and the working
        directory does not exist any more.
    """
    if not is_path(path):
        raise DeadLetterError("open", ascii(path), "it is a text that is no path")
    try:
        return os.path.realpath(path)
    except OSError as error:
        problem = f"it is relative, and the working directory is gone ({error.strerror})"
        raise DeadLetterError("open", path, problem) from error


@contextlib.contextmanager
def as_letter_error(action: str, path: str) -> Iterator[None]:
    """Context manager that raises an :exc:`OSError` of its block as a :class:`DeadLetterError`."""
    try:
        yield
    except OSError as error:
        told = error
        if error.filename == path and error.filename2 is None:  # the message names it already
            told = OSError(error.errno, error.strerror)
        raise DeadLetterError(action, path, with_remedy(told)) from error


def may_be_replaced(path: str) -> bool:
    """Whether a file may replace ``path``: it is a regular file, or does not exist."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:  # it does not exist; if it cannot be accessed, replacing it fails anyway
        return True


def refuse_others(path: str) -> None:
    """Check that ``path`` is a regular file or does not exist.

    :raises DeadLetterError: when it is something else.
    """
    if not may_be_replaced(path):
        raise DeadLetterError("replace", path, "it is no regular file")


def put_in_place(target: str, staged: str) -> None:
    """Replace ``target`` by the file ``staged``; dead letters that it holds are kept beside it.

    Runs that end at the same time take turns: each keeps the dead letters of the one before it.

    :raises DeadLetterError: when ``target`` is no longer a regular file, or an operation of the
        file system fails.
    """
    with as_letter_error("put in place", target), locked(target):
        refuse_others(target)
        os.chmod(staged, _mode_of(target))
        keep_former(target, staged)
        os.replace(staged, target)
    _sync_folder(os.path.dirname(target))


def _mode_of(path: str) -> int:
    """Return the permissions of the file at ``path``; those of the owner only if there is none."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return 0o600


def _sync_folder(folder: str) -> None:
    """Sync a folder, so that a replaced file survives a power failure; ignore errors."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
