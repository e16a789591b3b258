"""The entries of a run directory: a socket for each run that listens, and what it is.

``<name>.sock`` comes first and goes last, and is put in place only when it listens: one that
refuses a connection belongs to nobody any more. ``<name>.json`` beside it says which run it is.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import socket
import time
from pathlib import Path

import msgspec
from sk_kernel.runtime import UNREADABLE

from sk_supervisor.errors import RunDirError

#: What a socket's path may have on macOS, less its final zero; Linux takes four bytes more.
PATH_BYTES = 103
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")
_BACKLOG = 128
#: A socket that is not yet in place is swept when its maker can no longer be at it.
_ABANDONED_SECONDS = 60.0


class RunInfo(msgspec.Struct, frozen=True):
    """Which run an entry is of; ``started`` is seconds since the epoch."""

    run_id: str
    pid: int
    scenario: str
    started: float


class Entry(msgspec.Struct, frozen=True):
    """A run that listens. Without its JSON file it is known by the name of its socket alone."""

    socket: Path
    info: RunInfo


class AdminListener:
    """The place of one run in a run directory, with the socket that listens there.

    What dead runs left in the directory is swept on the way.

    :raises RunDirError: when the directory does not take it.
    """

    def __init__(self, folder: Path, info: RunInfo) -> None:
        self.path = folder / f"{_name(folder, info.run_id)}.sock"
        self._about = self.path.with_suffix(".json")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _sweep(folder)
            self._put_in_place(info)
        except OSError as error:
            self.close()
            raise RunDirError(folder, error.strerror or str(error)) from error

    def close(self) -> None:
        """Listen no more, and leave nothing behind."""
        self.socket.close()
        for path in (self._about, self.path):
            _unlink(path)

    def _put_in_place(self, info: RunInfo) -> None:
        new = self.path.with_name(f".{secrets.token_hex(4)}")
        try:
            self.socket.bind(str(new))
            new.chmod(0o600)
            self.socket.listen(_BACKLOG)
            new.rename(self.path)
            new.write_bytes(msgspec.json.encode(info))
            new.rename(self._about)
        finally:
            _unlink(new)


def entries(folder: Path) -> list[Entry]:
    """The runs that listen in ``folder``, the oldest first; what others left there is swept.

    :raises RunDirError: when it cannot be read.
    """
    try:
        _sweep(folder)
        found = [Entry(path, _info(path)) for path in folder.glob("*.sock")]
    except OSError as error:
        raise RunDirError(folder, error.strerror or str(error)) from error
    return sorted(found, key=lambda entry: (entry.info.started, entry.socket.name))


def listens(path: Path) -> bool:
    """Whether anybody listens at a socket. One who is suspended does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            problem = probe.connect_ex(str(path))
        except OSError:  # a path that is too long
            return False
    return problem not in (errno.ECONNREFUSED, errno.ENOENT, errno.ENOTSOCK)


def _sweep(folder: Path) -> None:
    for path in folder.glob("*.sock"):
        if not listens(path):
            _unlink(path)
    for path in folder.glob("*.json"):
        if not path.with_suffix(".sock").exists():
            _unlink(path)
    for path in folder.glob(".????????"):
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_mtime < time.time() - _ABANDONED_SECONDS:
                _unlink(path)


def _info(path: Path) -> RunInfo:
    try:
        return msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=RunInfo)
    except (OSError, *UNREADABLE):  # one that a cleaner took, or that is just being made
        return RunInfo(path.stem.rpartition("-")[0], 0, "", 0.0)


def _name(folder: Path, run_id: str) -> str:
    """A file name for a run that no other takes, whose path a socket can have."""
    suffix = secrets.token_hex(3)
    digest = hashlib.sha256(run_id.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    for stem in (run_id, digest):
        if _PLAIN.fullmatch(stem) and _fits(folder / f"{stem}-{suffix}.sock"):
            return f"{stem}-{suffix}"
    room = PATH_BYTES - len(f"/{digest}-{suffix}.sock")
    raise RunDirError(folder, f"its path is too long for a socket: {room} bytes at most")


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= PATH_BYTES


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
