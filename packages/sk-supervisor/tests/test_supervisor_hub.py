"""The hub over real sockets: what goes through it, who gets in, and who is cut off."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sk_supervisor._protocol.frames import HUB, AckHeader, RequestHeader, encode_header
from sk_supervisor.errors import HeaderError
from sk_transport import (
    Channel,
    ChannelClosedError,
    FrameKind,
    InvalidSignatureError,
    KeyMaterial,
    Signer,
    TransportError,
)
from supervisor_frames import header
from supervisor_harness import (
    PATIENCE,
    descriptors,
    descriptors_left,
    left_since,
    meanwhile,
    opened_since,
    threads,
)
from supervisor_hub_ends import SESSION, Hub, begun


@pytest.fixture
def hub() -> Iterator[Hub]:
    with begun(Hub) as hub:
        yield hub


@pytest.mark.contract("PLACEMENT-03")
def test_a_frame_arrives_as_it_was_sent_and_in_order(hub: Hub) -> None:
    first, middle = hub.dial("in"), hub.dial("mid").listen()
    for epoch in range(1, 200):
        first.send(epoch, b"%d" % epoch * epoch)
    for epoch in range(1, 200):
        arrived = middle.arrived.get(timeout=PATIENCE)
        assert arrived.header.epoch == epoch
        assert bytes(arrived.payload) == b"%d" % epoch * epoch


def test_a_frame_arrives_however_long_it_was_on_its_way(hub: Hub) -> None:
    """While the supervisor was suspended, say: what is behind a handshake does not expire."""
    middle = hub.dial("mid").listen()
    with hub.connect("in-0.1") as first:
        long_ago = hub.signer("in-0.1", "mid-0.1", time_ns=0)
        first.send(FrameKind.BATCH, encode_header(header()), b"late", signer=long_ago)
        assert bytes(middle.arrived.get(timeout=PATIENCE).payload) == b"late"


def test_frames_for_a_worker_that_is_not_here_yet_wait_for_it(hub: Hub) -> None:
    first = hub.dial("in")
    for epoch in range(1, 50):
        first.send(epoch, b"x" * 1000)
    middle = hub.dial("mid").listen()
    assert [middle.arrived.get(timeout=PATIENCE).header.epoch for _ in range(1, 50)] == list(
        range(1, 50)
    )


def test_frames_for_a_worker_that_has_left_are_dropped_and_others_go_on(hub: Hub) -> None:
    first, middle, last = hub.dial("in"), hub.dial("mid").listen(), hub.dial("out").listen()
    first.send(1, b"x")
    middle.arrived.get(timeout=PATIENCE)
    middle.close()
    for epoch in range(2, 20):
        first.send(epoch, b"y" * 50_000)
    first.send(1, b"z", to=2)
    assert bytes(last.arrived.get(timeout=PATIENCE).payload) == b"z"
    assert hub.faults.empty()


def test_the_hub_reads_on_while_a_worker_takes_nothing(hub: Hub) -> None:
    """Else the two ends and the hub would wait for each other for ever."""
    first, last = hub.dial("in"), hub.dial("out").listen()
    silent = hub.dial("mid")  # connected, and never reads
    for epoch in range(1, 101):
        first.send(epoch, b"x" * 90_000)  # far more than sockets hold
    first.send(1, b"through", to=2)
    assert bytes(last.arrived.get(timeout=PATIENCE).payload) == b"through"
    silent.listen()
    assert [silent.arrived.get(timeout=PATIENCE).header.epoch for _ in range(100)] == list(
        range(1, 101)
    )


def test_acknowledgements_of_the_sink_are_credit_of_the_source(hub: Hub) -> None:
    first, last = hub.dial("in").listen(), hub.dial("out").listen()
    first.send(5, b"sent", to=2)
    last.arrived.get(timeout=PATIENCE)
    for epoch in (1, 2, 2, 5):
        last.data_plane.acknowledge(2, epoch)
    assert [first.credit.get(timeout=PATIENCE) for _ in range(3)] == [1, 2, 5]
    assert hub.relay.acknowledged == 5


@pytest.mark.parametrize(
    "changes", [{"source_segment": 1}, {"target_segment": 7}, {"sender": "mid-0.1"}]
)
def test_a_worker_that_sends_what_is_not_its_own_is_cut_off(
    hub: Hub, changes: dict[str, Any]
) -> None:
    first = hub.dial("in").listen()
    first.send(1, b"x", **changes)
    worker, category, _ = hub.faults.get(timeout=PATIENCE)
    assert (worker, category) == ("in-0.1", "protocol")
    first.ended.get(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (FrameKind.ACK, AckHeader("out-0.1", 2, 9)),
        (FrameKind.BATCH, header(sender="out-0.1")),
        (FrameKind.END, header(sender="out-0.1")),
        (FrameKind.REQUEST, RequestHeader("out-0.1", "mid-0.1", "r1", 0, 1)),
    ],
)
def test_a_worker_whose_header_is_no_text_is_cut_off_and_others_go_on(
    hub: Hub, kind: FrameKind, said: object
) -> None:
    with hub.connect("out-0.1") as turned:
        turned.send(kind, encode_header(said).replace(b"out-0.1", b"out-0.\xff"))
        worker, category, message = hub.faults.get(timeout=PATIENCE)
        assert (worker, category) == ("out-0.1", "protocol")
        assert "cannot be read" in message
        with pytest.raises(ChannelClosedError):
            turned.receive(PATIENCE)
    middle = hub.dial("mid").listen()
    hub.dial("in").send(1, b"through")
    assert bytes(middle.arrived.get(timeout=PATIENCE).payload) == b"through"


def test_a_worker_whose_acknowledgement_is_not_signed_with_its_key_is_cut_off(hub: Hub) -> None:
    hub.dial("in").send(1, b"x", to=2)
    stranger = KeyMaterial.generated().derive(SESSION, "out-0.1", HUB)
    forged = Signer(Channel(SESSION, "out-0.1", HUB), stranger)
    with hub.connect("out-0.1") as last:
        with pytest.raises(InvalidSignatureError):  # the batch, which another has sealed
            last.receive(PATIENCE)
        last.send(FrameKind.ACK, encode_header(AckHeader("out-0.1", 2, 1)), signer=forged)
        worker, category, message = hub.faults.get(timeout=PATIENCE)
    assert (worker, category, message[:10]) == ("out-0.1", "transport", "signature:")
    assert hub.relay.acknowledged == 0


@pytest.mark.contract("P5PRE-ENV-01")
@pytest.mark.parametrize("changed", ["run", "scenario"])
def test_a_batch_of_another_run_or_scenario_is_refused_by_its_receiver(
    hub: Hub, changed: str
) -> None:
    middle = hub.dial("mid")
    hub.dial("in").send(1, b"x", **{f"{changed}_id": ""})
    with pytest.raises(HeaderError, match=f"a BatchHeader frame names another {changed}"):
        middle.data_plane.listen(middle.arrived.put, middle.credit.put)
    assert middle.arrived.empty()


@pytest.mark.contract("P5PRE-ENV-01")
def test_a_request_of_another_run_is_refused_by_its_receiver(hub: Hub) -> None:
    middle = hub.dial("mid")
    hub.dial("in").data_plane.ask(RequestHeader("in-0.1", "mid-0.1", "", 0, 1), b"x")
    with pytest.raises(HeaderError, match="a RequestHeader frame names another run"):
        middle.data_plane.listen(middle.arrived.put, middle.credit.put)
    assert middle.arrived.empty()


def test_of_what_the_transport_refuses_category_and_word_are_told(hub: Hub) -> None:
    with hub.connect("out-0.1") as turned, turned.detach().sock as sock:
        sock.sendall(b"\xff\xff\xff\xff\x01\x03\0\0")
        worker, category, message = hub.faults.get(timeout=PATIENCE)
    assert (worker, category, message.partition(":")[0]) == ("out-0.1", "transport", "oversize")
    assert hub.rejects.get(timeout=PATIENCE) == "oversize"


def test_an_acknowledgement_by_another_worker_cuts_it_off(hub: Hub) -> None:
    first, middle = hub.dial("in").listen(), hub.dial("mid").listen()
    middle.data_plane.acknowledge(2, 9)
    assert hub.faults.get(timeout=PATIENCE)[:2] == ("mid-0.1", "protocol")
    assert first.credit.empty()


def test_an_acknowledgement_of_what_was_not_sent_cuts_its_worker_off(hub: Hub) -> None:
    first, last = hub.dial("in").listen(), hub.dial("out").listen()
    last.data_plane.acknowledge(2, 1)
    assert hub.faults.get(timeout=PATIENCE)[:2] == ("out-0.1", "protocol")
    assert first.credit.empty()


def test_a_second_connection_of_a_worker_is_refused(hub: Hub) -> None:
    hub.dial("mid").listen()
    second = hub.dial("mid").listen()
    assert hub.faults.get(timeout=PATIENCE)[:2] == ("mid-0.1", "protocol")
    second.ended.get(timeout=PATIENCE)


def test_a_worker_without_its_keys_does_not_get_in(hub: Hub) -> None:
    with pytest.raises(TransportError):
        hub.dial("mid", keys_of="in")
    with pytest.raises(TransportError):
        hub.dial("stranger", keys_of="in")


def test_a_hub_closes_whether_it_was_started_or_not() -> None:
    before = threads()
    Hub().close()
    assert not left_since(before)


def test_a_refused_frame_is_counted_under_its_category(hub: Hub) -> None:
    hub.dial("in").listen().send(1, b"x", target_segment=7)
    assert hub.rejects.get(timeout=PATIENCE) == "protocol"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_hub_whose_thread_ends_says_so_whatever_has_ended_it(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.relay, "route", lambda *_, **__: sys.exit())
    hub.dial("in").send(1, b"x")
    fault = hub.faults.get(timeout=PATIENCE)
    assert fault == ("", "internal", "SystemExit in hub relay")


def test_a_hub_without_descriptors_accepts_again_once_there_are_some(hub: Hub) -> None:
    with socket.socket() as stranger, descriptors_left(0):
        stranger.connect(hub.hub.address)
        assert hub.rejects.get(timeout=PATIENCE) == "accept"
    first, middle = hub.dial("in"), hub.dial("mid").listen()
    first.send(1, b"through")
    assert bytes(middle.arrived.get(timeout=PATIENCE).payload) == b"through"


@pytest.mark.parametrize("count", range(4))
def test_a_hub_that_runs_out_of_descriptors_as_it_is_made_leaves_none_open(count: int) -> None:
    Hub().close()  # what is imported, is
    before = descriptors()
    with descriptors_left(count), pytest.raises((OSError, TransportError)):
        Hub()
    assert opened_since(before) == set()


def test_a_worker_that_is_hung_up_on_in_its_handshake_dials_again(hub: Hub) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as front,
        meanwhile(hang_up_twice, front, hub.hub.address),
    ):
        middle = hub.dial("mid", address=front.getsockname()).listen()
        hub.dial("in").send(1, b"through")
        assert bytes(middle.arrived.get(timeout=PATIENCE).payload) == b"through"
        middle.data_plane.shutdown()


def hang_up_twice(front: socket.socket, hub: tuple[str, int]) -> None:
    """Drop two connections, and pass on what a third one and the hub say."""
    for _ in range(2):
        front.accept()[0].close()
    caller, _ = front.accept()
    with caller, socket.create_connection(hub) as callee, ThreadPoolExecutor(1) as beside:
        answers = beside.submit(pump, callee, caller)
        pump(caller, callee)
        answers.result()


def pump(giver: socket.socket, taker: socket.socket) -> None:
    while data := giver.recv(65_536):
        taker.sendall(data)
    taker.shutdown(socket.SHUT_WR)
