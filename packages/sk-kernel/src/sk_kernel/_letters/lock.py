"""One process at a time puts dead letters in a place: keeping the former ones is a second step."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Final

#: No name of kept letters ends like this: in these a ``%`` is followed by ``25`` or ``2F``.
_LOCK: Final = "%lock"
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})


@contextlib.contextmanager
def locked(target: str) -> Iterator[None]:
    """Run the block while no other process or thread is in such a block for ``target``.

    The lock is a file beside the target that is removed after the block. If a process died in the
    block, the file stays, unlocked, and the next one uses it. A file system without locks has none.

    :raises OSError: when the file system refuses.
    """
    path = f"{target}{_LOCK}"
    descriptor = _held(path)
    try:
        yield
    finally:
        # Before it is closed: whoever waits for it sees that it is gone, and makes another one.
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _held(path: str) -> int:
    """The descriptor of the lock, which has been waited for."""
    import fcntl

    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
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


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the open file is still the one at ``path``: who had the lock has removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
