"""Striking at a TCP port: many connections at once, one thread, each with its own manners."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from attack_model import Attack, Ending, Outcome, Strike, judged

A = TypeVar("A")

TICK_SECONDS = 0.02
_BLOCK = 65_536


@dataclass
class _Connection:
    strike: Strike
    sock: socket.socket
    until: float
    rest: memoryview
    answered: bool = False


class TcpPort:
    """A port to be struck at. A strike ends as `hung_up` or `answered`, or `open` out of time."""

    def __init__(self, address: tuple[str, int], patience_seconds: float = 30.0) -> None:
        self._address, self._patience = address, patience_seconds

    def run(self, attack: Attack[A], strikes: Iterable[Strike]) -> Outcome:
        """Carry out an attack."""
        return judged(attack, self.strike_all(strikes, attack.width))

    def strike_all(self, strikes: Iterable[Strike], width: int) -> Iterator[tuple[Strike, str]]:
        """Carry out strikes, `width` of them at once, and tell how each of them ended."""
        waiting = deque(strikes)
        with selectors.DefaultSelector() as selector:
            while waiting or selector.get_map():
                while waiting and len(selector.get_map()) < width:
                    self._open(selector, waiting.popleft())
                ready = {key.fd for key, _ in selector.select(TICK_SECONDS)}
                for key in list(selector.get_map().values()):
                    connection: _Connection = key.data
                    end = self._attend(connection, readable=key.fd in ready)
                    if end is not None:
                        selector.unregister(connection.sock)
                        connection.sock.close()
                        yield connection.strike, end

    def _open(self, selector: selectors.BaseSelector, strike: Strike) -> None:
        sock = socket.create_connection(self._address, timeout=self._patience)
        sock.setblocking(False)
        until = time.monotonic() + self._patience
        connection = _Connection(strike, sock, until, memoryview(strike.data))
        selector.register(sock, selectors.EVENT_READ, connection)
        if strike.ending is not Ending.DRIP:
            _send(connection, len(strike.data))

    def _attend(self, connection: _Connection, *, readable: bool) -> str | None:
        if readable:
            try:
                if not connection.sock.recv(_BLOCK):
                    return "answered" if connection.answered else "hung_up"
                connection.answered = True
            except BlockingIOError:
                pass
            except OSError:
                return "hung_up"
        elif time.monotonic() >= connection.until:
            return "open"
        if connection.rest:
            _send(connection, 1 if connection.strike.ending is Ending.DRIP else _BLOCK)
        return None


def _send(connection: _Connection, count: int) -> None:
    """Send up to `count` bytes; that the other side has hung up shows when it is read from."""
    try:
        sent = connection.sock.send(connection.rest[:count]) if connection.rest else 0
        connection.rest = connection.rest[sent:]
        if not connection.rest and connection.strike.ending is Ending.HALF_CLOSE:
            connection.sock.shutdown(socket.SHUT_WR)
    except OSError:
        connection.rest = memoryview(b"")
