"""What the server's owner does wrong, and what it gets back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sk_control import (
    BootstrapBundle,
    BootstrapKeyBundle,
    ControlBindError,
    ControlProtocolError,
    ControlServer,
    ControlSettingError,
    ControlSettings,
    Direction,
    Drained,
    DrainOutcome,
    Hello,
    HelloRefusedError,
    InvalidFieldError,
    LossReason,
    MessageRefusedError,
    Progress,
    ProtocolCode,
    SessionState,
    StartWork,
    WorkerExpectedTwiceError,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
    WorkerNotExpectedError,
)
from sk_control._control_keys import token_keys
from sk_control._endpoint import Endpoint
from sk_control._seal import seal_and_open
from sk_control._signed_message import parse_signed
from sk_transport import KeyMaterial, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from sk_control.testing import ManualClock

    from conftest import Control


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


def test_a_bundle_without_the_control_keys_is_not_sent(clock: ManualClock) -> None:
    """`ControlServer` puts them in; what is sent without them would end the session."""
    (sealer, opener), (workers, _) = (
        seal_and_open(
            sends,
            token_keys(Secret.generate(), "session-1", "w-1"),
            versions=(1,),
            session_id="session-1",
            worker_id="w-1",
            settings=ControlSettings(),
            clock=clock,
        )
        for sends in (Direction.TO_WORKER, Direction.TO_SUPERVISOR)
    )
    endpoint, sent = Endpoint(sealer, opener, max_bytes=50_000), list[bytes]()
    hello = Hello((1,), "w-1", "features", 0, 1, 1)
    endpoint.greet(parse_signed(workers.seal(hello)), hello, sent.append)
    with pytest.raises(MessageRefusedError, match="without control keys"):
        endpoint.send(bundle_for(hello))
    assert (sent, endpoint.state) == ([], SessionState.GREETED)


def test_a_message_that_is_too_large_is_refused_where_it_is_sent(
    make_control: Callable[..., Control],
) -> None:
    """The stream is not lost by it, and the session is where it was."""
    control = make_control(settings=ControlSettings(max_message_bytes=20_000))
    worker = control.ready_worker("w-1")
    large = Drained(DrainOutcome.COMPLETE, counters={f"counter-{i:05}": i for i in range(2_000)})
    control.server.send("w-1", StartWork())
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


def test_what_a_worker_that_was_forgotten_says_is_not_heard(control: Control) -> None:
    worker = control.ready_worker("w-1")
    control.server.forget("w-1")
    worker.channel.send(Progress(1))
    worker.channel.close()
    control.server.close()
    assert control.events.empty()


def test_a_worker_that_was_forgotten_is_one_that_was_never_expected(control: Control) -> None:
    identity = control.expect("w-1")
    control.server.forget("w-1")
    control.server.forget("w-1")
    assert control.server.states() == {}
    with pytest.raises(WorkerNotExpectedError):
        control.server.send("w-1", StartWork())
    with pytest.raises(HelloRefusedError):
        control.connect(identity)
    assert control.connect(control.expect("w-1")).channel.state is SessionState.ACKED


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
