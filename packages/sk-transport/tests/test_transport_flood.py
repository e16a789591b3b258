"""A full waiting room: who has to go, and who has not."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from sk_transport import (
    Channel,
    ClientHandshake,
    DeadlineError,
    HandshakeLimits,
    ReplayGuard,
    Secret,
    SecureTcpTransport,
)

if TYPE_CHECKING:
    from conftest import Clock


def test_an_honest_guest_is_not_driven_out_once_its_hello_is_here(
    clock: Clock, stack: ExitStack
) -> None:
    """Its HELLO comes after a crowd has, and while the listener lets that in."""
    key, limits = Secret.generate(), HandshakeLimits(max_waiting=1)
    server = SecureTcpTransport(session="s", identity="hub", handshake=limits, clock=clock)
    listener = stack.enter_context(server.listen({"w": key}.get))
    honest = stack.enter_context(socket.create_connection(listener.address))
    with pytest.raises(DeadlineError):
        listener.accept(timeout=0)
    for _ in range(3):
        stack.enter_context(socket.create_connection(listener.address))
    hello = ClientHandshake(
        Channel("s", "w", "hub"),
        key,
        limits=limits,
        ttl_seconds=30,
        guard=ReplayGuard(ttl_seconds=30, capacity=1),
        clock=clock,
    ).hello()
    honest.sendall(b"".join(hello))
    assert stack.enter_context(listener.accept(timeout=10)).peer == "w"
    assert server.rejects() == {"overload": 2}
