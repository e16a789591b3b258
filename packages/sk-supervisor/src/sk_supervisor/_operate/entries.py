"""The entries of a run directory: for each run a listening socket and a JSON file about the run.

The socket ``sk-<run>-<random>.sock`` is created before the JSON file, removed after it, and gets
its name only when it listens: a socket that refuses connections belongs to no running process.

The directory may contain other files: a file is removed only if its full name, type, content and
owner are those of an entry, and only by a run that adds its own entry.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import socket
import stat
import time
from pathlib import Path

import msgspec
from sk_kernel.runtime import UNREADABLE

from sk_supervisor.errors import RunDirError

#: The maximum bytes of a socket's path on macOS, without the final NUL; Linux allows four more.
PATH_BYTES = 103
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")
_ENTRY = re.compile(rf"sk-({_PLAIN.pattern})-[0-9a-f]{{8}}(\.sock|\.json)")
#: The temporary name under which either file is created, before it is renamed.
_NEW = re.compile(r"\.sk-[0-9a-f]{8}\.new")
_BACKLOG = 128
#: The age at which a file under a temporary name counts as abandoned by its creator.
_ABANDONED_SECONDS = 60.0


class RunInfo(msgspec.Struct, frozen=True):
    """The run that an entry belongs to; ``started`` is in seconds since the epoch."""

    run_id: str
    pid: int
    scenario: str
    started: float


class Entry(msgspec.Struct, frozen=True):
    """A run that listens. Without a JSON file, ``info`` has only what the socket's name says."""

    socket: Path
    info: RunInfo


class AdminListener:
    """The entry of this run in a run directory, with its listening socket.

    The constructor also removes the entries that dead runs of this user left in the directory.

    :raises RunDirError: when the entry cannot be created.
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
        """Close the socket and remove both files."""
        self.socket.close()
        for path in (self._about, self.path):
            _unlink(path)

    def _put_in_place(self, info: RunInfo) -> None:
        new = self.path.with_name(f".sk-{secrets.token_hex(4)}.new")
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
    """The runs that listen in ``folder``, the oldest first. Changes nothing.

    :raises RunDirError: when the directory cannot be read.
    """
    try:
        sockets = [path for path in folder.iterdir() if _suffix(path) == ".sock"]
    except OSError as error:
        raise RunDirError(folder, error.strerror or str(error)) from error
    found = [Entry(path, _info(path)) for path in sockets if listens(path)]
    return sorted(found, key=lambda entry: (entry.info.started, entry.socket.name))


def listens(path: Path) -> bool:
    """Whether a process listens on this socket, even a suspended one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            problem = probe.connect_ex(str(path))
        except OSError:  # a path that is too long
            return False
    return problem not in (errno.ECONNREFUSED, errno.ENOENT, errno.ENOTSOCK)


def _sweep(folder: Path) -> None:
    # Sockets first: the JSON file of a socket that still exists is kept.
    for path in sorted(folder.iterdir(), key=lambda path: path.suffix != ".sock"):
        with contextlib.suppress(OSError):  # it is gone, or stays if unreadable
            if _is_left(path):
                _unlink(path)


def _is_left(path: Path) -> bool:
    """Whether a file is this user's, and of a run that has died or never began to listen.

    :raises OSError: when the file cannot be examined.
    """
    suffix, new = _suffix(path), _NEW.fullmatch(path.name)
    if not suffix and not new:
        return False
    seen = path.lstat()
    if seen.st_uid != os.geteuid() or (new and seen.st_mtime > time.time() - _ABANDONED_SECONDS):
        return False
    if stat.S_ISSOCK(seen.st_mode):
        return suffix != ".json" and not listens(path)
    if not stat.S_ISREG(seen.st_mode) or suffix == ".sock":
        return False
    if new and not seen.st_size:
        return True
    return _read(path) is not None and not path.with_suffix(".sock").exists()


def _suffix(path: Path) -> str:
    """``.sock`` or ``.json`` if the file has the name of an entry, else the empty string."""
    found = _ENTRY.fullmatch(path.name)
    return found[2] if found else ""


def _read(path: Path) -> RunInfo | None:
    """The content of an entry's JSON file; None if it is not valid.

    :raises OSError: when the file cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunInfo)
    except UNREADABLE:
        return None


def _info(path: Path) -> RunInfo:
    with contextlib.suppress(OSError):  # removed by a cleaner, or not written yet
        if info := _read(path.with_suffix(".json")):
            return info
    found = _ENTRY.fullmatch(path.name)
    return RunInfo(found[1] if found else path.stem, 0, "", 0.0)


def _name(folder: Path, run_id: str) -> str:
    """A unique file name for a run, short enough for the path of a socket.

    :raises RunDirError: when the path of the directory is too long.
    """
    suffix = secrets.token_hex(4)
    digest = hashlib.sha256(run_id.encode("utf-8", "backslashreplace")).hexdigest()[:12]
    for stem in (run_id, digest):
        name = f"sk-{stem}-{suffix}"
        if _PLAIN.fullmatch(stem) and _fits(folder / f"{name}.sock"):
            return name
    room = PATH_BYTES - len(f"/sk-{digest}-{suffix}.sock")
    raise RunDirError(folder, f"its path is too long for a socket: {room} bytes at most")


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= PATH_BYTES


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
