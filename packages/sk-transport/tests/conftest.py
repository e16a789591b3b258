"""What these tests share: a clock that is set by hand, and a link over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from sk_transport import (
    Listener,
    Secret,
    SecureChannel,
    SecureTcpTransport,
)

SESSION, SERVER, CLIENT = "run-1", "hub", "policy/0/1"
TTL_SECONDS = 30.0


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    now_ns: int = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1_000_000_000)


@dataclass
class Link:
    """Two transports and a channel between them, over loopback TCP."""

    key: Secret
    clock: Clock
    server_side: SecureTcpTransport
    client_side: SecureTcpTransport
    listener: Listener
    server: SecureChannel
    client: SecureChannel


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def link(clock: Clock, stack: ExitStack) -> Link:
    key = Secret.generate()
    server_side = SecureTcpTransport(
        session=SESSION, identity=SERVER, ttl_seconds=TTL_SECONDS, clock=clock
    )
    client_side = SecureTcpTransport(
        session=SESSION, identity=CLIENT, ttl_seconds=TTL_SECONDS, clock=clock
    )
    listener = stack.enter_context(server_side.listen({CLIENT: key}.get))
    client, server = in_parallel(
        lambda: client_side.connect(listener.address, server=SERVER, keys=key),
        lambda: listener.accept(timeout=10),
    )
    stack.enter_context(client)
    stack.enter_context(server)
    return Link(key, clock, server_side, client_side, listener, server, client)


def in_parallel(
    first: Callable[[], SecureChannel], second: Callable[[], SecureChannel]
) -> tuple[SecureChannel, SecureChannel]:
    """Run `first` in a thread and `second` here; return both results."""
    with ThreadPoolExecutor(1) as pool:
        one = pool.submit(first)
        result = second()
        return one.result(10), result


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool
