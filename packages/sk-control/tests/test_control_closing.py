"""Closing a server or a channel: who learns of it, and what is left."""

from __future__ import annotations

import gc
import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from sk_control import (
    ControlBindError,
    ControlClosedError,
    ControlConnectError,
    ControlEvent,
    ControlSettings,
    Heartbeat,
    LossReason,
    Ready,
    SessionState,
    StartWork,
    Stop,
    WorkerMessage,
)
from sk_control._grpc import METHOD_NAME, SERVICE_NAME
from sk_control._roster import Roster
from sk_control._streams import StreamService
from sk_control._threads import StreamThreads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sk_control.testing import ManualClock

    from conftest import Control

DEADLINE = 20.0


def test_closing_the_server_tells_its_workers_and_reports_no_loss(control: Control) -> None:
    """What is queued goes out first; each worker learns once that the supervisor closed."""
    workers = [control.ready_worker(f"w-{i}") for i in range(3)]
    control.server.send("w-0", Stop(drain=False, reason="last"))
    control.server.close()
    assert workers[0].receive() == Stop(drain=False, reason="last")
    for worker in workers:
        assert worker.lost.get(timeout=DEADLINE) is LossReason.CLOSED_BY_SUPERVISOR
        worker.channel.close()
        assert worker.lost.empty()
    assert control.events.empty()


def test_close_is_idempotent_and_refuses_what_comes_after(control: Control) -> None:
    """A closed server or channel says so."""
    worker = control.ready_worker("w-1")
    for _ in range(2):
        worker.channel.close()
    with pytest.raises(ControlClosedError):
        worker.channel.send(Heartbeat())
    for _ in range(2):
        control.server.close()
    with pytest.raises(ControlClosedError):
        control.server.send("w-1", StartWork())
    with pytest.raises(ControlClosedError):
        control.expect("w-2")


def test_either_end_may_be_closed_from_its_own_callback(
    make_control: Callable[..., Control],
) -> None:
    """Closing where a message is handled waits for nothing that waits for it."""
    closed: queue.SimpleQueue[str] = queue.SimpleQueue()

    def close_server(event: object) -> None:
        if isinstance(event, WorkerMessage) and event.message == Ready():
            control.server.close(timeout_seconds=DEADLINE)
            closed.put("server")

    def close_channel(_message: object) -> None:
        worker.channel.close(timeout_seconds=DEADLINE)
        closed.put("channel")

    control = make_control(on_event=close_server)
    worker = control.connect(control.expect("w-1"), on_message=close_channel)
    control.server.send("w-1", Stop(drain=True))
    assert closed.get(timeout=DEADLINE) == "channel"
    other = control.connect(control.expect("w-2"))
    other.channel.send(Ready())
    assert closed.get(timeout=DEADLINE) == "server"
    assert other.lost.get(timeout=DEADLINE) is LossReason.CLOSED_BY_SUPERVISOR


def test_no_thread_is_left_after_close(make_control: Callable[..., Control]) -> None:
    """Neither of the server nor of the workers, nor one that gRPC made for them."""
    before = set(threading.enumerate())
    control = make_control()
    workers = [control.ready_worker(f"w-{i}") for i in range(3)]
    stranger = control.stranger()
    assert stranger.strike(b"garbage") == "malformed/undecodable"
    for worker in workers[:2]:
        worker.channel.close()
    control.server.close()
    workers[2].channel.close()
    stranger.close()
    left = set(threading.enumerate()) - before
    assert not [thread.name for thread in left if thread.name.startswith("sk-control")]
    for thread in left:
        thread.join(DEADLINE)
    assert not [thread.name for thread in left if thread.is_alive()]


def grpc_servers() -> set[int]:
    """The servers of gRPC's that this process has, garbage too."""
    return {id(each) for each in gc.get_objects() if issubclass(type(each), grpc.Server)}


def test_a_closed_server_lets_go_of_its_descriptors_without_a_garbage_collection(
    make_control: Callable[..., Control],
) -> None:
    """gRPC closes those of its poller when nobody has the server any more."""
    gc.collect()
    gc.disable()
    try:
        before = grpc_servers()
        control = make_control()
        assert len(grpc_servers() - before) == 1
        control.server.close()
        assert grpc_servers() <= before
    finally:
        gc.enable()


@contextmanager
def threadless() -> Iterator[None]:
    """No thread can be started inside the block: none has room for such a stack."""
    before = threading.stack_size(2**50)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_a_call_for_which_there_is_no_thread_ends_neither_the_server_nor_its_close(
    control: Control,
) -> None:
    """The thread that serves outlives it: a worker that comes later is served."""
    with grpc.insecure_channel(control.server.address) as channel:
        grpc.channel_ready_future(channel).result(DEADLINE)
        call = channel.unary_unary(f"/{SERVICE_NAME}/{METHOD_NAME}")
        with threadless(), pytest.raises(grpc.RpcError):
            call(b"", timeout=0.5)
    control.ready_worker("w-1")
    with threadless():
        control.server.close()


def test_a_server_for_which_there_is_no_thread_says_so(
    make_control: Callable[..., Control],
) -> None:
    with threadless(), pytest.raises(ControlBindError, match="can't start new thread"):
        make_control()


def test_a_worker_for_which_there_is_no_thread_says_so(control: Control) -> None:
    """And leaves nothing open: it can dial again when there is one."""
    identity = control.expect("w-1")
    before = set(threading.enumerate())
    with threadless(), pytest.raises(ControlConnectError, match="can't start new thread"):
        control.connect(identity)
    assert set(threading.enumerate()) <= before
    assert control.connect(identity).channel.state is SessionState.ACKED


class CallContext:
    """What gRPC tells a handler of its call, and is told by it."""

    code: grpc.StatusCode | None = None

    def add_callback(self, _: Callable[[], None]) -> bool:
        return True

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code


def test_a_stream_for_which_there_is_no_reading_thread_leaves_its_place(
    clock: ManualClock,
) -> None:
    """Its peer hears that there is no room; nothing of it is left to be evicted or closed."""
    settings, evicted = ControlSettings(max_waiting=1), list[ControlEvent]()
    service = StreamService(
        Roster("session-1", settings, clock),
        bundle_for=pytest.fail,
        on_event=evicted.append,
        settings=settings,
        threads=StreamThreads("test"),
    )
    for _ in range(2):
        context = CallContext()
        with threadless():
            assert not [*service.serve(iter(()), context)]  # type: ignore[arg-type]
        assert context.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not evicted
    assert not service._open
