"""Output targets: a new file that replaces the target at the end, or a stream written directly."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import stat
from typing import Protocol

from sk_fundload.adapters._place import output_descriptor
from sk_fundload.errors import BrokenOutputError, OutputError


class Target(Protocol):
    """An open output."""

    @property
    def partial(self) -> str | None:
        """The path of the unfinished file; None if there is none."""

    def write(self, data: bytes) -> None:
        """Write all of ``data`` before returning."""

    def finish(self) -> None:
        """Close the output after the last write, without putting it in place yet."""

    def commit(self) -> None:
        """Put the finished output in place."""

    def abort(self) -> None:
        """Close the output, leave the target unchanged, and keep the written data."""

    def discard(self) -> None:
        """Close the output, leave the target unchanged, and remove the written data."""


def open_target(path: str, *, durable: bool = False) -> Target:
    """Open ``path`` (or ``-``) for output.

    For a regular file, or a path that does not exist, the data goes to a new file in the same
    directory, with the mode of the old one, which replaces it at `Target.commit`; ``durable``
    forces it to disk first. Anything else (a pipe, a device, a standard stream) is written
    directly.

    :raises OutputError: if it cannot be opened.
    """
    standard = output_descriptor(path)
    if standard is not None:
        return _Direct(path, standard, owned=False)
    try:
        old = _mode(path)
        if old is None or stat.S_ISREG(old):
            return _Replacement(path, old, durable=durable)
        return _Direct(path, os.open(path, os.O_WRONLY | os.O_CLOEXEC), owned=True)
    except (OSError, ValueError) as error:
        raise _failure("open", path, error) from error


def probe_target(path: str) -> None:
    """Check that `open_target` would succeed, and leave no file behind.

    :raises OutputError: if it would not.
    """
    standard = output_descriptor(path)
    try:
        if standard is not None:
            os.fstat(standard)
            return
        mode = _mode(path)
        if mode is not None and stat.S_ISDIR(mode):
            raise OutputError("write", path, "it is a directory, not a file")
        if mode is not None and not os.access(path, os.W_OK):
            raise OutputError("write", path, "permission denied")
        if mode is None or stat.S_ISREG(mode):
            fd, partial = _create_beside(os.path.realpath(path), mode)
            os.close(fd)
            os.unlink(partial)
    except OutputError:
        raise
    except (OSError, ValueError) as error:
        raise _failure("write", path, error) from error


class _Direct:
    """A pipe, a device or a standard stream."""

    partial: None = None

    def __init__(self, path: str, fd: int, *, owned: bool) -> None:
        self._path, self._fd, self._owned = path, fd, owned

    def write(self, data: bytes) -> None:
        _write_all(self._fd, data, self._path)

    def finish(self) -> None:
        if self._owned:
            self._owned = False
            try:
                os.close(self._fd)
            except OSError as error:
                raise _failure("close", self._path, error) from error

    def commit(self) -> None:
        """Do nothing: the data was written directly."""

    def abort(self) -> None:
        with contextlib.suppress(OutputError):
            self.finish()

    def discard(self) -> None:
        self.abort()


class _Replacement:
    """A new file that replaces the target when it is complete."""

    def __init__(self, path: str, old_mode: int | None, *, durable: bool) -> None:
        self._path, self._durable = path, durable
        self._target = os.path.realpath(path)  # of a symbolic link: replace the file, keep the link
        self._fd, partial = _create_beside(self._target, old_mode)
        self._closed = False
        self.partial: str | None = partial

    def write(self, data: bytes) -> None:
        _write_all(self._fd, data, self._path)

    def finish(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self._durable:
                os.fsync(self._fd)
            os.close(self._fd)
        except OSError as error:
            raise _failure("write", self._path, error) from error

    def commit(self) -> None:
        if self.partial is None:
            return
        try:
            os.replace(self.partial, self._target)
            self.partial = None
            if self._durable:
                _sync_folder(os.path.dirname(self._target))
        except OSError as error:
            raise _failure("replace", self._path, error) from error

    def abort(self) -> None:
        with contextlib.suppress(OutputError):
            self.finish()

    def discard(self) -> None:
        self.abort()
        if self.partial is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.partial)
            self.partial = None


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _create_beside(target: str, mode: int | None) -> tuple[int, str]:
    """Create a new file in the folder of ``target``, with this mode; None for the default mode."""
    folder, name = os.path.split(target)
    partial = os.path.join(folder, f"{name[:100]}.{secrets.token_hex(4)}.partial")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    if mode is not None:
        try:
            os.fchmod(fd, stat.S_IMODE(mode))
        except OSError:
            os.close(fd)
            os.unlink(partial)
            raise
    return fd, partial


def _write_all(fd: int, data: bytes, path: str) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:  # another process has made the standard stream non-blocking
            select.select([], [fd], [])
        except OSError as error:
            raise _failure("write", path, error) from error


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _failure(action: str, path: str, error: OSError | ValueError) -> OutputError:
    problem = getattr(error, "strerror", None) or str(error)
    if isinstance(error, BrokenPipeError):
        return BrokenOutputError(action, path, "its reader has gone")
    return OutputError(action, path, problem)
