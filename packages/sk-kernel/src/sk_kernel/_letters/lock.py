"""A lock for replacing a file of dead letters, since keeping the former file is a separate step."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from typing import Final

from sk_kernel.errors import DeadLetterError

#: How long, in seconds, to wait for the lock: its holder compares two files and renames one.
LOCK_SECONDS: Final = 30.0
#: No file of kept dead letters has this ending: in their names, ``25`` or ``2F`` follows a ``%``.
_LOCK: Final = "%lock"
#: EBADF: NFS locks no file that is open for reading only.
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF})
_HELD: Final = (
    "it was not free within {:g} s: a run or a replay with the same file of dead letters holds it,"
    " and hangs or is suspended. End that process (fuser {} prints its id)"
)


@contextlib.contextmanager
def locked(target: str) -> Iterator[None]:
    """Run the block while no other process or thread runs such a block for ``target``.

    The lock is a file beside the target that is removed after the block. If a process dies in the
    block, the file stays, unlocked, and the next process uses it. On a file system without locks,
    there is no mutual exclusion.

    :raises DeadLetterError: when another process or thread holds the lock for too long.
    :raises OSError: when an operation of the file system fails.
    """
    path = f"{target}{_LOCK}"
    descriptor = _held(path)
    try:
        yield
    finally:
        # Unlink before closing: a process that waits for the lock then sees that the file is gone,
        # and creates another one.
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _held(path: str) -> int:
    """Open and lock the lock file, waiting if needed; return its descriptor."""
    from sk_kernel._letters.flock import flock_within  # needed once, at the end of a run

    until = time.monotonic() + LOCK_SECONDS
    while True:
        descriptor = _opened(path)
        try:
            try:
                is_held = flock_within(descriptor, until - time.monotonic())
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                return descriptor
            if not is_held:
                raise DeadLetterError("lock", path, _HELD.format(LOCK_SECONDS, path))
            if _is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _opened(path: str) -> int:
    """Open the lock file; for reading only if a process of another user has left it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except PermissionError as denied:
        try:
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            raise denied from None


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the open file is still at ``path``: the former holder of the lock removes it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
