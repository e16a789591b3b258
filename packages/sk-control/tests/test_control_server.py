"""Server and workers over the real service, and what the server's owner does wrong."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest
from sk_control import (
    BootstrapBundle,
    BootstrapKeyBundle,
    BundleAck,
    ControlBindError,
    ControlClosedError,
    ControlLostError,
    ControlProtocolError,
    ControlServer,
    ControlSettingError,
    ControlSettings,
    Drained,
    DrainOutcome,
    Failed,
    Heartbeat,
    Hello,
    InvalidFieldError,
    KeyBundleConsumedError,
    LossReason,
    Progress,
    ProtocolCode,
    Ready,
    SessionState,
    StartGateClosedError,
    StartWork,
    Stop,
    StopAck,
    WorkerExpectedTwiceError,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
    WorkerNotExpectedError,
)
from sk_transport import KeyMaterial, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Control

DEADLINE = 20.0


def bundle_for(hello: Hello, **changes: Any) -> BootstrapBundle:
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "scenario_id": "scenario-1",
        "group": hello.group,
        "worker_index": hello.index,
        "incarnation": hello.incarnation,
        "discovery_modules": (),
        "application": b"{}",
        "data_host": "127.0.0.1",
        "data_port": 4242,
        "heartbeat_seconds": 2.5,
    }
    return BootstrapBundle(**(fields | changes))


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
    control.server.start_work(["w-1"])
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


@pytest.mark.contract("P5PRE-CTRL-05")
def test_key_material_survives_the_wire_byte_for_byte(control: Control) -> None:
    """All byte values arrive, and the control plane's own keys do not show."""
    bundle = control.connect(control.expect("w-1")).channel.take_bundle()
    assert dict(bundle.keys) == {"data": Secret(bytes(range(256)))}


@pytest.mark.contract("KEY-IPC-03")
def test_the_bundle_can_be_taken_once(control: Control) -> None:
    """The second read fails, and so does every later one."""
    worker = control.connect(control.expect("w-1"))
    worker.channel.take_bundle()
    for _ in range(2):
        with pytest.raises(KeyBundleConsumedError) as caught:
            worker.channel.take_bundle()
        assert caught.value.worker_id == "w-1"


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


@pytest.mark.contract("P5PRE-CTRL-02")
def test_a_duplicate_bootstrap_command_is_a_protocol_error(control: Control) -> None:
    """The server sent the bundle; sending another fails and changes nothing."""
    worker = control.ready_worker("w-1")
    hello = Hello((1,), "w-1", "features", 0, 1, 1)
    with pytest.raises(ControlProtocolError) as caught:
        control.server.send("w-1", bundle_for(hello))
    assert caught.value.code is ProtocolCode.DUPLICATE_BOOTSTRAP
    assert control.server.states() == {"w-1": SessionState.READY}
    control.server.send("w-1", StartWork())
    assert worker.receive() == StartWork()


@pytest.mark.contract("P5PRE-CTRL-04")
def test_start_work_is_refused_until_all_are_ready(control: Control) -> None:
    """While one of three is missing nobody is started; then all are."""
    first = control.ready_worker("w-1")
    second = control.connect(control.expect("w-2"))
    control.expect("w-3")
    required = ["w-1", "w-2", "w-3"]
    with pytest.raises(StartGateClosedError) as caught:
        control.server.start_work(required)
    assert caught.value.missing == ("w-2", "w-3")
    assert control.server.states()["w-1"] is SessionState.READY
    control.event(WorkerHello)
    control.event(WorkerMessage)
    second.channel.send(Ready())
    control.event(WorkerMessage)
    with pytest.raises(StartGateClosedError) as caught:
        control.server.start_work(required)
    assert caught.value.missing == ("w-3",)
    control.server.start_work(required[:2])
    assert [first.receive(), second.receive()] == [StartWork(), StartWork()]


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


def test_a_worker_that_stopped_is_not_lost(control: Control) -> None:
    """After its last word the end of the stream is no event; the next one is another worker's."""
    worker = control.ready_worker("w-1")
    control.server.send("w-1", Stop(drain=False))
    worker.receive()
    worker.channel.send(StopAck())
    assert control.event(WorkerMessage).message == StopAck()
    worker.channel.close()
    control.connect(control.expect("w-2"))
    assert control.event(WorkerHello).hello.worker_id == "w-2"
    assert worker.lost.empty()


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
    stranger.send(b"garbage")
    assert stranger.refusal()
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


@pytest.mark.parametrize(
    "make",
    [
        lambda _: 1 / 0,
        lambda hello: bundle_for(hello, group="another"),
        lambda hello: bundle_for(hello, worker_index=7),
        lambda hello: bundle_for(
            hello, keys=BootstrapKeyBundle({"control.to_worker": Secret(b"k")})
        ),
        lambda hello: bundle_for(hello, application=b"x" * 100_000),
    ],
)
def test_a_bundle_that_cannot_be_made_comes_back_to_its_owner(
    make_control: Callable[..., Control], make: Any
) -> None:
    """The worker is turned away, the owner gets its own exception, the server lives on."""
    control = make_control(
        bundle_for=lambda hello: make(hello) if hello.worker_id == "bad" else bundle_for(hello),
        settings=ControlSettings(max_message_bytes=50_000),
    )
    with pytest.raises(Exception, match="before the bootstrap bundle"):
        control.connect(control.expect("bad"))
    control.event(WorkerHello)
    lost = control.event(WorkerLost)
    assert (lost.worker_id, lost.reason) == ("bad", LossReason.BUNDLE_FAILED)
    assert isinstance(lost.fault, ZeroDivisionError | InvalidFieldError)
    control.ready_worker("good")


def test_a_message_that_is_too_large_is_refused_where_it_is_sent(
    make_control: Callable[..., Control],
) -> None:
    """The stream is not lost by it, and the session is where it was."""
    control = make_control(settings=ControlSettings(max_message_bytes=20_000))
    worker = control.ready_worker("w-1")
    large = Drained(DrainOutcome.COMPLETE, counters={f"counter-{i:05}": i for i in range(2_000)})
    control.server.start_work(["w-1"])
    worker.receive()
    with pytest.raises(InvalidFieldError):
        worker.channel.send(large)
    assert worker.channel.state is SessionState.WORKING
    worker.channel.send(Drained(DrainOutcome.COMPLETE))
    assert control.event(WorkerMessage).message == Drained(DrainOutcome.COMPLETE)


def test_a_worker_id_is_expected_once(control: Control) -> None:
    """Not again while it lives, and not after it is gone."""
    worker = control.ready_worker("w-1")
    with pytest.raises(WorkerExpectedTwiceError):
        control.expect("w-1")
    worker.channel.close()
    control.event(WorkerLost)
    with pytest.raises(WorkerExpectedTwiceError):
        control.expect("w-1")


def test_a_worker_that_was_never_expected_cannot_be_sent_to(control: Control) -> None:
    """A wrong id is the caller's fault, and named."""
    with pytest.raises(WorkerNotExpectedError) as caught:
        control.server.send("w-9", StartWork())
    assert caught.value.worker_id == "w-9"


def test_a_taken_port_is_a_bind_error(control: Control) -> None:
    """Two servers never share a port; the error names the address."""
    host, _, port = control.server.address.rpartition(":")
    with pytest.raises(ControlBindError) as caught:
        ControlServer(
            "session-2",
            KeyMaterial.generated(),
            workers=1,
            bundle_for=bundle_for,
            on_event=control.events.put,
            host=host,
            port=int(port),
        )
    assert caught.value.address == control.server.address
    assert caught.value.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "0.0.0.0"},  # noqa: S104 - what must be refused
        {"host": "localhost"},
        {"host": "192.0.2.1"},
        {"host": ""},
        {"port": -1},
        {"port": 65536},
        {"port": "80"},
        {"workers": 0},
    ],
)
def test_an_impossible_setting_is_refused_at_construction(changes: dict[str, Any]) -> None:
    """Only loopback is listened on, and only what can be."""
    options: dict[str, Any] = {"workers": 1, "bundle_for": bundle_for, "on_event": print}
    with pytest.raises(ControlSettingError) as caught:
        ControlServer("session-1", KeyMaterial.generated(), **(options | changes))
    assert caught.value.setting in changes


@pytest.mark.parametrize(
    "changes",
    [
        {"ttl_seconds": 0},
        {"ttl_seconds": float("nan")},
        {"hello_timeout_seconds": float("inf")},
        {"nonce_capacity": 0},
        {"max_message_bytes": -1},
        {"max_hello_bytes": 1.5},
        {"max_waiting": 0},
    ],
)
def test_impossible_limits_are_refused(changes: dict[str, Any]) -> None:
    """A limit is a positive number of its kind."""
    with pytest.raises(ControlSettingError) as caught:
        ControlSettings(**changes)
    assert caught.value.setting in changes
