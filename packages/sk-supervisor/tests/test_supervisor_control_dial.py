"""A worker dials its supervisor: after which refusals it dials again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from itertools import chain, repeat
from typing import Any

import pytest
from sk_control import ControlServer, ControlSettings, HelloRefusedError, WorkerHello
from sk_control.testing import ServerBench
from sk_supervisor._worker import control_dial
from sk_supervisor._worker.control_dial import dial_supervisor
from supervisor_harness import PATIENCE, meanwhile

LATE_NS = 3600 * 10**9


class HoldingProxy:
    """Passes connections on; of the first it holds what the client sends on its stream."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._target, self._socks = (host, int(port)), ExitStack()
        self._listener = self._socks.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.holds, self.was_dialled_again = threading.Event(), threading.Event()
        threading.Thread(target=self._attend, daemon=True).start()

    def close(self) -> None:
        """Pass nothing on any more."""
        self._socks.close()

    def _attend(self) -> None:
        with suppress(OSError):
            for pump in chain([self._pump_without_data], repeat(_pump)):
                near = self._socks.enter_context(self._listener.accept()[0])
                if pump is _pump:
                    self.was_dialled_again.set()
                far = self._socks.enter_context(socket.create_connection(self._target))
                for work, ends in ((pump, (near, far)), (_pump, (far, near))):
                    threading.Thread(target=work, args=ends, daemon=True).start()

    def _pump_without_data(self, near: socket.socket, far: socket.socket) -> None:
        """Pass on the frames of HTTP/2 before the first that carries data."""
        with suppress(OSError), near.makefile("rb") as frames:
            far.sendall(frames.read(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
            while (head := frames.read(9)) and head[3] != 0:
                far.sendall(head + frames.read(int.from_bytes(head[:3], "big")))
            self.holds.set()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


class SlowClock:
    """The clock of this machine, which for its first readers has an hour to catch up."""

    def __init__(self) -> None:
        self.late_readers = 0

    def __call__(self) -> int:
        late, self.late_readers = self.late_readers > 0, max(self.late_readers - 1, 0)
        return time.monotonic_ns() - (LATE_NS if late else 0)


@pytest.fixture
def clock() -> SlowClock:
    return SlowClock()


@pytest.fixture
def server(clock: SlowClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerBench]:
    """A control server whose clock is that of the workers, but for its first readers."""
    monkeypatch.setattr(control_dial, "leave_at_once", lambda _: None)  # this is no worker

    def made(*arguments: Any, **options: Any) -> ControlServer:
        return ControlServer(*arguments, **{**options, "clock": clock})

    with ServerBench(made, ControlSettings(max_waiting=1)) as bench:
        bench.clock.now_ns = time.monotonic_ns()
        yield bench


def assignment(server: ServerBench, **changes: Any) -> dict[str, Any]:
    """What the spawn pipe of an expected worker carries."""
    identity = server.expect("w-1", seconds=LATE_NS / 1e9)
    return {
        "token": server.tokens["w-1"].reveal().hex(),
        "worker_id": identity.worker_id,
        "group": identity.group,
        "index": identity.index,
        "incarnation": identity.incarnation,
        "address": server.server.address,
        "session_id": server.session_id,
        "deadline_seconds": 60.0,
        "control": {},
        **changes,
    }


def test_a_hello_that_is_outside_of_its_time_is_said_again(
    server: ServerBench, clock: SlowClock
) -> None:
    told = assignment(server)
    clock.late_readers = 1
    dial_supervisor(told, lambda _: None).close()
    assert server.refusal() == "freshness/outside_ttl"
    assert server.event(WorkerHello).hello.worker_id == "w-1"


def test_a_hello_that_is_always_outside_of_its_time_is_refused_at_last(
    server: ServerBench, clock: SlowClock
) -> None:
    told = assignment(server)
    clock.late_readers = 1000
    with pytest.raises(HelloRefusedError, match="outside_ttl"):
        dial_supervisor(told, lambda _: None)
    assert [server.refusal() for _ in range(4)] == ["freshness/outside_ttl"] * 4


def test_a_worker_that_was_turned_out_before_its_hello_was_read_says_it_again(
    server: ServerBench,
) -> None:
    with closing(HoldingProxy(server.server.address)) as proxy:

        def crowd() -> None:
            assert proxy.holds.wait(PATIENCE)
            stranger = server.stranger()
            while not proxy.was_dialled_again.wait(0.01):  # each turns out the one before it
                stranger.open()

        with meanwhile(crowd):
            dial_supervisor(assignment(server, address=proxy.address), lambda _: None).close()


def test_a_hello_that_is_refused_for_what_it_says_is_not_said_again(server: ServerBench) -> None:
    with pytest.raises(HelloRefusedError, match="bad_signature"):
        dial_supervisor(assignment(server, token="ab" * 32), lambda _: None)
    assert server.refusal() == "signature/bad_signature"
    assert server.events.empty()
