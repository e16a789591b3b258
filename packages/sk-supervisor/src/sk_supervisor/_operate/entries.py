"""The entries of a run directory: a socket for each run that listens, and what it is.

``sk-<run>-<random>.sock`` comes first and goes last, and is put in place only when it listens: one
that refuses a connection belongs to nobody any more. The JSON file beside it says which run it is.

Somebody may keep other files in that directory: only what is an entry in its full name, its kind,
its content and its owner is ever removed, and only by a run that puts its own there.
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

#: What a socket's path may have on macOS, less its final zero; Linux takes four bytes more.
PATH_BYTES = 103
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")
_ENTRY = re.compile(rf"sk-({_PLAIN.pattern})-[0-9a-f]{{8}}(\.sock|\.json)")
#: Either file before it is in place.
_NEW = re.compile(r"\.sk-[0-9a-f]{8}\.new")
_BACKLOG = 128
#: What is not yet in place is swept when its maker can no longer be at it.
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

    What dead runs of this user left in the directory is swept on the way.

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
    """The runs that listen in ``folder``, the oldest first. It only looks.

    :raises RunDirError: when it cannot be read.
    """
    try:
        sockets = [path for path in folder.iterdir() if _suffix(path) == ".sock"]
    except OSError as error:
        raise RunDirError(folder, error.strerror or str(error)) from error
    found = [Entry(path, _info(path)) for path in sockets if listens(path)]
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
    # Sockets first: while one is there, so is what is written about it.
    for path in sorted(folder.iterdir(), key=lambda path: path.suffix != ".sock"):
        with contextlib.suppress(OSError):  # it went, or cannot be read: then it stays
            if _is_left(path):
                _unlink(path)


def _is_left(path: Path) -> bool:
    """Whether it is this user's, and of a run that has died or never began to listen.

    :raises OSError: when that cannot be seen.
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
    """``.sock`` or ``.json`` of what is named as an entry is; of anything else nothing."""
    found = _ENTRY.fullmatch(path.name)
    return found[2] if found else ""


def _read(path: Path) -> RunInfo | None:
    """What a JSON file says of its run, if it does.

    :raises OSError: when it cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunInfo)
    except UNREADABLE:
        return None


def _info(path: Path) -> RunInfo:
    with contextlib.suppress(OSError):  # one that a cleaner took, or that is just being made
        if info := _read(path.with_suffix(".json")):
            return info
    found = _ENTRY.fullmatch(path.name)
    return RunInfo(found[1] if found else path.stem, 0, "", 0.0)


def _name(folder: Path, run_id: str) -> str:
    """A file name for a run that no other takes, whose path a socket can have."""
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
