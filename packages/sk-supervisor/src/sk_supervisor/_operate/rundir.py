"""The run directory: it holds the admin sockets of one user's runs, closed to other users."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sk_kernel.runtime import is_path

from sk_supervisor.errors import RunDirError

ENVIRONMENT = "SK_RUN_DIR"
_NAME = "stream-kernel"


def made(named: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The run directory of this user, created if missing: the first usable candidate.

    :param named: the directory to use, regardless of the environment.
    :raises RunDirError: when no candidate can be created and written to, or one is unsafe: other
        users could tamper with it.
    """
    problems = []
    for path in _candidates(named, environ):
        try:
            _make(path)
            if writable(path):
                return path
            problems.append(RunDirError(path, "nothing can be written there"))
        except OSError as error:
            problems.append(RunDirError(path, error.strerror or type(error).__name__))
    raise problems[-1]


def existing(
    named: str | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    warn: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """The existing directories in which runs of this user may be.

    A directory that other users could tamper with is left out, and ``warn`` is called: anyone can
    create a directory of that name in ``/tmp``, which must not hide the runs in the others.

    :raises RunDirError: when that directory was named explicitly, here or by the environment.
    """
    paths = [*_candidates(named, environ)]
    if len(paths) > 1:  # a run that was started by a service, or under another environment
        paths.append(Path(f"/run/user/{os.geteuid()}", _NAME))
    found, chosen = [], bool(named or environ.get(ENVIRONMENT))
    for path in dict.fromkeys(paths):
        try:
            if _is_there(path, anybodys=chosen):
                found.append(path)
        except RunDirError as error:
            if chosen:
                raise
            warn(f"warning: not looked in: {error}")
    return found


def checked(path: Path, *, anybodys: bool = False) -> None:
    """Require ``path`` to be a directory, not a link, that this user owns and only they can enter.

    With ``anybodys`` the superuser may also use another user's directory: only one that was named
    explicitly, and only to read.

    :raises RunDirError: when it is not such a directory.
    :raises OSError: when it does not exist, or cannot be examined.
    """
    seen = path.lstat()
    if stat.S_ISLNK(seen.st_mode):
        raise RunDirError(path, "is a symbolic link: name the directory itself")
    if not stat.S_ISDIR(seen.st_mode):
        raise RunDirError(path, "is no directory")
    if seen.st_uid != os.geteuid() and not (anybodys and os.geteuid() == 0):
        raise RunDirError(path, f"belongs to the user {seen.st_uid}, not to you")
    if mode := stat.S_IMODE(seen.st_mode) & 0o077:
        problem = f"its mode is {stat.S_IMODE(seen.st_mode):04o}, which lets others in ({mode:03o})"
        # A directory of another name may be meant to be shared: do not advise to close it.
        ours = path.name.startswith(_NAME) and seen.st_uid == os.geteuid()
        mend = "chmod 700 it" if ours else "name a directory for runs alone, of mode 0700"
        raise RunDirError(path, f"{problem}: {mend}")


def writable(path: Path) -> bool:
    """Whether a socket can be created there: the file system may be read-only."""
    return os.access(path, os.W_OK | os.X_OK)


def _candidates(named: str | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """The one that is named, here or by the environment; else the user's own, the best first."""
    if chosen := named or environ.get(ENVIRONMENT):
        yield _absolute(chosen)
        return
    session = environ.get("XDG_RUNTIME_DIR", "")
    # Under sudo and su it may be another user's, against the XDG specification.
    if os.path.isabs(session) and _owned(session):
        yield Path(session, _NAME)
    # Not tempfile.gettempdir(): that may be the working directory, which differs between runs.
    yield _absolute(os.path.join(environ.get("TMPDIR") or "/tmp", f"{_NAME}-{os.geteuid()}"))  # noqa: S108


def _absolute(text: str) -> Path:
    if not is_path(text):
        raise RunDirError(Path(ascii(text)), "it is a text that is no path")
    try:
        return Path(text).absolute()
    except OSError as error:
        problem = f"it is relative, and the working directory is gone ({error.strerror})"
        raise RunDirError(Path(text), problem) from error


def _owned(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False


def _make(path: Path) -> None:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError:
        if not path.is_dir():  # mkdir may fail otherwise although the directory exists
            raise
    checked(path)


def _is_there(path: Path, *, anybodys: bool) -> bool:
    try:
        checked(path, anybodys=anybodys)
    except OSError:
        return False
    return True
