"""Server and workers over the real service, from hello to the last word."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import pytest
from sk_control import (
    BundleAck,
    ControlClosedError,
    ControlLostError,
    ControlProtocolError,
    Drained,
    DrainOutcome,
    Failed,
    Heartbeat,
    HelloRefusedError,
    KeyBundleConsumedError,
    LossReason,
    Progress,
    ProtocolCode,
    Ready,
    SessionState,
    StartWork,
    Stop,
    StopAck,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)

if TYPE_CHECKING:
    from conftest import Control

DEADLINE = 20.0


def test_a_worker_goes_from_hello_to_stop_ack(control: Control) -> None:
    """Every message of the ordinary course arrives at the other end, in order."""
    worker = control.connect(control.expect("w-1"))
    assert control.event(WorkerHello).hello.worker_id == "w-1"
    assert control.event(WorkerMessage) == WorkerMessage("w-1", BundleAck())
    said = [
        Ready(("out.partial",)),
        Heartbeat(Progress(1, 2, 3)),
        Progress(4, 5, 6, "working", "line 7"),
        Drained(DrainOutcome.COMPLETE, 10, 9, {"rejects": 1}),
        StopAck(),
    ]
    worker.channel.send(said[0])
    assert control.event(WorkerMessage).message == said[0]
    control.server.send("w-1", StartWork())
    assert worker.receive() == StartWork()
    for message in said[1:4]:
        worker.channel.send(message)
        assert control.event(WorkerMessage) == WorkerMessage("w-1", message)
    control.server.send("w-1", Stop(drain=True, reason="end of run"))
    assert worker.receive() == Stop(drain=True, reason="end of run")
    worker.channel.send(said[4])
    assert control.event(WorkerMessage).message == said[4]
    assert control.server.states() == {"w-1": SessionState.STOPPED}
    assert worker.channel.state is SessionState.STOPPED
    assert not any(control.server.refusals().values())
    assert not any(worker.channel.refusals().values())


def test_a_hello_counts_until_its_deadline_and_not_after(control: Control) -> None:
    in_time, late = control.expect("w-1", seconds=5), control.expect("w-2", seconds=5)
    control.clock.advance(5)
    assert control.connect(in_time).channel.state is SessionState.ACKED
    control.clock.advance(1e-9)
    with pytest.raises(HelloRefusedError, match="token_expired"):
        control.connect(late)


@pytest.mark.contract("P5PRE-CTRL-01")
def test_the_bundle_is_delivered_once_and_acknowledged(control: Control) -> None:
    """One hello, one bundle as it was made, one acknowledgement."""
    worker = control.connect(control.expect("w-1"))
    hello = control.event(WorkerHello).hello
    assert control.event(WorkerMessage).message == BundleAck()
    bundle = worker.channel.take_bundle()
    assert (bundle.run_id, bundle.group, bundle.worker_index) == ("run-1", "features", 0)
    assert bundle.discovery_modules == ("app.nodes", "app.state")
    assert bundle.application == b'{"setting": "quiet-please"}'
    assert (bundle.data_host, bundle.data_port, bundle.heartbeat_seconds) == (
        "127.0.0.1",
        4242,
        2.5,
    )
    assert hello.incarnation == bundle.incarnation == 1
    worker.channel.send(Ready())
    assert control.event(WorkerMessage).message == Ready()


@pytest.mark.contract("KEY-IPC-03")
def test_of_many_threads_one_takes_the_bundle(control: Control) -> None:
    """Taking is atomic."""
    worker = control.connect(control.expect("w-1"))
    taken: queue.SimpleQueue[bool] = queue.SimpleQueue()
    start = threading.Barrier(8)

    def take() -> None:
        start.wait()
        try:
            worker.channel.take_bundle()
        except KeyBundleConsumedError:
            taken.put(False)
        else:
            taken.put(True)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert sorted(taken.get(timeout=DEADLINE) for _ in threads) == [False] * 7 + [True]


@pytest.mark.contract("P5PRE-CTRL-04")
def test_start_work_to_one_worker_is_refused_before_it_is_ready(control: Control) -> None:
    """The worker's own state is a gate too."""
    control.expect("w-1")
    with pytest.raises(ControlProtocolError) as caught:
        control.server.send("w-1", StartWork())
    assert caught.value.code is ProtocolCode.START_BEFORE_READY
    assert caught.value.state is SessionState.EXPECTED


def test_a_worker_is_held_to_the_order_by_its_own_channel(control: Control) -> None:
    """What is out of order is refused where it is sent, and the session goes on."""
    worker = control.connect(control.expect("w-1"))
    for message, code in (
        (BundleAck(), ProtocolCode.DUPLICATE_ACK),
        (StopAck(), ProtocolCode.ACK_WITHOUT_STOP),
        (Drained(DrainOutcome.COMPLETE), ProtocolCode.DRAINED_BEFORE_START),
    ):
        with pytest.raises(ControlProtocolError) as caught:
            worker.channel.send(message)
        assert caught.value.code is code
        assert worker.channel.state is SessionState.ACKED
    worker.channel.send(Ready())
    control.event(WorkerHello)
    assert control.event(WorkerMessage).message == BundleAck()
    assert control.event(WorkerMessage).message == Ready()


def test_what_many_threads_send_arrives_whole_and_in_each_ones_order(control: Control) -> None:
    """`send` may be called from any thread; nothing is lost, doubled or refused."""
    worker = control.ready_worker("w-1")
    threads = [
        threading.Thread(
            target=lambda name=name: [
                worker.channel.send(Progress(records_in=i, state=name)) for i in range(100)
            ]
        )
        for name in ("a", "b", "c", "d")
    ]
    for thread in threads:
        thread.start()
    seen: dict[str, list[int]] = {}
    for _ in range(400):
        message = control.event(WorkerMessage).message
        assert isinstance(message, Progress)
        seen.setdefault(message.state, []).append(message.records_in)
    for thread in threads:
        thread.join(DEADLINE)
    assert seen == {name: list(range(100)) for name in ("a", "b", "c", "d")}


@pytest.mark.parametrize("failed", [False, True])
def test_a_worker_that_hangs_up_without_its_last_word_is_lost_once(
    control: Control, failed: bool
) -> None:
    """Whether it reported a failure before or not."""
    worker = control.ready_worker("w-1")
    if failed:
        worker.channel.send(Failed("node_failed"))
        assert control.event(WorkerMessage).message == Failed("node_failed")
    worker.channel.close()
    assert control.event(WorkerLost) == WorkerLost("w-1", LossReason.STREAM_ENDED)
    with pytest.raises(ControlLostError):
        control.server.send("w-1", Stop(drain=True))
    control.server.close()
    assert control.events.empty()


def test_a_failed_worker_still_answers_a_stop(control: Control) -> None:
    """It reports, is told to stop, acknowledges, and is then not lost."""
    worker = control.ready_worker("w-1")
    worker.channel.send(Failed("node_failed", "parse", "ValueError", "no number"))
    worker.channel.send(Heartbeat())
    assert control.event(WorkerMessage).message == Failed(
        "node_failed", "parse", "ValueError", "no number"
    )
    control.event(WorkerMessage)
    control.server.send("w-1", Stop(drain=False))
    assert worker.receive() == Stop(drain=False)
    worker.channel.send(StopAck())
    assert control.event(WorkerMessage).message == StopAck()
    worker.channel.close()
    control.server.close()
    assert control.events.empty()


def test_a_server_ends_on_a_system_that_has_no_thread_to_give(control: Control) -> None:
    before = threading.stack_size(2**50)
    try:
        control.server.close(timeout_seconds=1.0)
    finally:
        threading.stack_size(before)
    with pytest.raises(ControlClosedError):
        control.server.send("features-0", StartWork())
