"""Opening sockets, on loopback only."""

from __future__ import annotations

import errno
import socket

from sk_transport._loopback import check_bind, check_connect
from sk_transport._socket import Deadline, reason_of, tune
from sk_transport.errors import BindError, ConnectError

_BACKLOG = 128
_PORT_FAULTS = frozenset({errno.EADDRINUSE, errno.EACCES})


def bound(host: str, port: int) -> socket.socket:
    """Return a listening, non-blocking socket. Raises `BindError`."""
    family = check_bind(host, port)
    sock = None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        # So that a configured port can be used again right after a run. This never shares a port
        # with another listening socket.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        if sock is not None:
            sock.close()
        reason = reason_of(error)
        if error.errno in _PORT_FAULTS:
            reason += ": choose another port, or 0 for any free one"
        raise BindError(host, port, reason) from None
    return sock


def connected(address: tuple[str, int], deadline: Deadline) -> socket.socket:
    """Return a connected, non-blocking socket. Raises `ConnectError` and `DeadlineError`."""
    host, port = address
    family = check_connect(host, port)
    sock = None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(max(deadline.remaining() or 0.0, 0.001))
        sock.connect((host, port))
        tune(sock)
    except OSError as error:
        if sock is not None:
            sock.close()
        if isinstance(error, TimeoutError):
            raise deadline.error() from None
        raise ConnectError(host, port, reason_of(error)) from None
    return sock
