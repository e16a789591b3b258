"""Who is at the other end of a local socket, as the kernel says: no secret is needed for that."""

from __future__ import annotations

import socket
import struct
import sys

_SUPERUSER = 0
#: Linux's ``struct ucred``: pid, uid, gid.
_UCRED = struct.Struct("=iII")
#: The head of macOS's ``struct xucred``: version, uid.
_XUCRED = struct.Struct("=II")
_XUCRED_BYTES = 76
#: Of macOS's sys/un.h; Python has no names for them there.
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1


def peer_uid(link: socket.socket) -> int:
    """The user who made the connection.

    :raises OSError: when the kernel does not say; that peer is nobody's.
    """
    if sys.platform == "linux":
        return uid_of_ucred(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return uid_of_xucred(link.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES))


def may_administer(uid: int, owner: int) -> bool:
    """Whether that user may look at, and stop, a run of ``owner``: their own runs, and root all."""
    return uid in (owner, _SUPERUSER)


def uid_of_ucred(data: bytes) -> int:
    """The user in what Linux gives.

    :raises OSError: when it is cut short.
    """
    return _second(_UCRED, data)


def uid_of_xucred(data: bytes) -> int:
    """The user in what macOS gives.

    :raises OSError: when it is cut short.
    """
    return _second(_XUCRED, data)


def _second(layout: struct.Struct, data: bytes) -> int:
    if len(data) < layout.size:
        raise OSError("the peer's credentials are cut short")
    return int(layout.unpack_from(data)[1])
