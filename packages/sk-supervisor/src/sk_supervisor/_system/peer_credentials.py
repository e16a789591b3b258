"""The user at the other end of a local socket, as the kernel reports it: no secret is needed."""

from __future__ import annotations

import socket
import struct
import sys

_SUPERUSER = 0
#: Linux's ``struct ucred``: pid, uid, gid.
_UCRED = struct.Struct("=iII")
#: The beginning of macOS's ``struct xucred``: version, uid.
_XUCRED = struct.Struct("=II")
_XUCRED_BYTES = 76
#: From macOS's sys/un.h; Python does not define them there.
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1


def peer_uid(link: socket.socket) -> int:
    """Return the id of the user who made the connection.

    :raises OSError: when the kernel does not report it; then no user may be assumed.
    """
    if sys.platform == "linux":
        return uid_of_ucred(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return uid_of_xucred(link.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES))


def may_administer(uid: int, owner: int) -> bool:
    """Whether that user may inspect and stop a run of ``owner``: their own runs, and root all."""
    return uid in (owner, _SUPERUSER)


def uid_of_ucred(data: bytes) -> int:
    """Return the user id in Linux's credentials.

    :raises OSError: when the data is too short.
    """
    return _second(_UCRED, data)


def uid_of_xucred(data: bytes) -> int:
    """Return the user id in macOS's credentials.

    :raises OSError: when the data is too short.
    """
    return _second(_XUCRED, data)


def _second(layout: struct.Struct, data: bytes) -> int:
    if len(data) < layout.size:
        raise OSError("the peer's credentials are cut short")
    return int(layout.unpack_from(data)[1])
