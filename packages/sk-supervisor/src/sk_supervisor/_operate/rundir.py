"""The run directory: where the admin sockets of a user's runs are, and nobody else may go."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sk_supervisor.errors import RunDirError

ENVIRONMENT = "SK_RUN_DIR"
_NAME = "stream-kernel"


def made(named: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The run directory of this user, made where it is missing: the first that can be had.

    :param named: the one to take, whatever the environment says.
    :raises RunDirError: when none can be had, or one is there that others could tamper with.
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
    """The run directories in which runs of this user may be: those that are there.

    One that others could tamper with is left out, and ``warn`` is told: anybody can make a
    directory of that name in ``/tmp``, and that must not hide the runs in the other ones.

    :raises RunDirError: when it is the one that was named, here or by the environment.
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
    """See that ``path`` is a directory, no link to one, that only its owner, who is us, may enter.

    With ``anybodys`` the superuser may look into another user's, as into everything else: into one
    that was named, and never to put anything there.

    :raises RunDirError: when it is not.
    :raises OSError: when it is not there, or cannot be looked at.
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
        # What has another name may be meant for others, and is not to be taken from them.
        ours = path.name.startswith(_NAME) and seen.st_uid == os.geteuid()
        mend = "chmod 700 it" if ours else "name a directory for runs alone, of mode 0700"
        raise RunDirError(path, f"{problem}: {mend}")


def writable(path: Path) -> bool:
    """Whether a socket can be made there: a mount may be read-only."""
    return os.access(path, os.W_OK | os.X_OK)


def _candidates(named: str | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where it is to be: as named, as the environment says, else the user's own, the best first."""
    if chosen := named or environ.get(ENVIRONMENT):
        yield Path(chosen).absolute()
        return
    session = environ.get("XDG_RUNTIME_DIR", "")
    # Under sudo and su it may still be another user's, which the specification says to ignore.
    if os.path.isabs(session) and _owned(session):
        yield Path(session, _NAME)
    # Not what tempfile finds: that may be the working directory, which is another one each time.
    yield Path(environ.get("TMPDIR") or "/tmp", f"{_NAME}-{os.geteuid()}").absolute()  # noqa: S108


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
        if not path.is_dir():  # where mkdir is refused, one may be there all the same
            raise
    checked(path)


def _is_there(path: Path, *, anybodys: bool) -> bool:
    try:
        checked(path, anybodys=anybodys)
    except OSError:
        return False
    return True
