"""A lock for replacing a file of dead letters, since keeping the former file is a separate step."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Final

#: No file of kept dead letters has this ending: in their names, ``25`` or ``2F`` follows a ``%``.
_LOCK: Final = "%lock"
#: EBADF: NFS locks no file that is open for reading only.
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF})


@contextlib.contextmanager
def locked(target: str) -> Iterator[None]:
    """Run the block while no other process or thread runs such a block for ``target``.

    The lock is a file beside the target that is removed after the block. If a process dies in the
    block, the file stays, unlocked, and the next process uses it. On a file system without locks,
    there is no mutual exclusion.

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
    import fcntl

    while True:
        descriptor = _opened(path)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                return descriptor
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
