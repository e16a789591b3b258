"""The hub over real sockets, with workers that are threads of this process."""

from __future__ import annotations

import os
import queue
import resource
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_control import BootstrapKeyBundle
from sk_kernel import ExecutionPlan
from sk_supervisor import prepare
from sk_supervisor._edges import EdgeKeys
from sk_supervisor._frames import BatchHeader
from sk_supervisor._hub import DataHub
from sk_supervisor._inbox import Arrived, Credit
from sk_supervisor._link_limits import LinkLimits
from sk_supervisor._outlet import Outlet
from sk_supervisor._peers import place_edges
from sk_supervisor._relay import Relay
from sk_supervisor._retention import Retention
from sk_transport import KeyMaterial, TransportError, UnknownPeerError
from supervisor_harness import PATIENCE, left_since, settings, threads

WORKERS = {"in-0": "in-0.1", "mid-0": "mid-0.1", "out-0": "out-0.1"}
SESSION = "session"
PAYLOAD = 100_000
LIMITS = LinkLimits(max_payload_bytes=PAYLOAD, nonce_capacity=1000)


class Peer:
    """A worker's end: what arrived, what credit it has, and why its connection ended."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.arrived: queue.SimpleQueue[Arrived] = queue.SimpleQueue()
        self.credit: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.ended: queue.SimpleQueue[TransportError] = queue.SimpleQueue()
        self.listening = threading.Thread(target=self._listen)

    def listen(self) -> Peer:
        self.listening.start()
        return self

    def _listen(self) -> None:
        try:
            self.outlet.listen(self.arrived.put, self.credit.put)
        except TransportError as error:
            self.ended.put(error)

    def send(self, epoch: int, payload: bytes, *, to: int = 1, **changes: Any) -> None:
        """A batch of one record from the first segment."""
        receiver = self.outlet.worker_at(("in-0", "mid-0", "out-0")[to])
        header = BatchHeader(
            **{
                "sender": self.outlet.worker_id,
                "receiver": receiver,
                "run_id": "r1",
                "scenario_id": "s",
                "epoch": epoch,
                "first": epoch,
                "last": epoch,
                "source_segment": 0,
                "target_segment": to,
                "route_hop": to,
                "more": False,
                "complete": True,
                "sampled": False,
                **changes,
            }
        )
        self.outlet.send(header, payload, final=False)

    def close(self) -> None:
        self.outlet.shutdown()
        if self.listening.ident:
            self.listening.join()
        self.outlet.close()


def edges_of(plan: ExecutionPlan, workers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(workers[a], workers[b]) for a, b in place_edges(plan)]


class Hub:
    """A hub, its faults, and the workers that dial it."""

    def __init__(self, plan: ExecutionPlan) -> None:
        self.faults: queue.SimpleQueue[tuple[str, str, str]] = queue.SimpleQueue()
        self.rejects: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._plan = plan
        self._keys = EdgeKeys(
            KeyMaterial.generated(), SESSION, edges_of(plan, WORKERS), "hkdf_sha256"
        )
        self.relay = Relay(plan, WORKERS)
        self.hub = DataHub(
            self.relay,
            self._keys,
            session=SESSION,
            expected=frozenset(WORKERS.values()),
            host="127.0.0.1",
            port=0,
            limits=LIMITS,
            on_fault=lambda *fault: self.faults.put(fault),
            on_reject=self.rejects.put,
        )
        self._peers: list[Peer] = []

    def dial(
        self,
        group: str,
        keys_of: str | None = None,
        address: tuple[str, int] | None = None,
        workers: Mapping[str, str] = WORKERS,
        **options: Any,
    ) -> Peer:
        edges = edges_of(self._plan, workers)
        peer = Peer(
            Outlet(
                session=SESSION,
                worker_id=workers.get(f"{group}-0", group),
                run_id="r1",
                scenario_id="s",
                keys=self._keys.bundle(WORKERS.get(f"{keys_of or group}-0", group), edges),
                address=address or self.hub.address,
                workers=workers,
                limits=LIMITS,
                **options,
            )
        )
        self._peers.append(peer)
        return peer

    def close(self) -> None:
        self.hub.close()
        for peer in self._peers:
            peer.close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    plan = prepare(build_config(settings(Path("out.txt")))).plan
    before = threads()
    hub = Hub(plan)
    hub.hub.start()
    yield hub
    hub.close()
    assert not left_since(before)


@pytest.mark.contract("PLACEMENT-03")
def test_a_frame_arrives_as_it_was_sent_and_in_order(hub: Hub) -> None:
    first, middle = hub.dial("in"), hub.dial("mid").listen()
    for epoch in range(1, 200):
        first.send(epoch, b"%d" % epoch * epoch)
    for epoch in range(1, 200):
        arrived = middle.arrived.get(timeout=PATIENCE)
        assert arrived.header.epoch == epoch
        assert bytes(arrived.payload) == b"%d" % epoch * epoch


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
    first, last = hub.dial("in").listen(), hub.dial("out")
    for epoch in (1, 2, 2, 5):
        last.outlet.acknowledge(2, epoch)
    assert [first.credit.get(timeout=PATIENCE) for _ in range(3)] == [1, 2, 5]
    assert hub.relay.counters.acknowledged == 5


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


def test_an_acknowledgement_by_another_worker_cuts_it_off(hub: Hub) -> None:
    first, middle = hub.dial("in").listen(), hub.dial("mid").listen()
    middle.outlet.acknowledge(2, 9)
    assert hub.faults.get(timeout=PATIENCE)[:2] == ("mid-0.1", "protocol")
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
    plan = prepare(build_config(settings(Path("out.txt")))).plan
    Hub(plan).close()
    assert not left_since(before)


def test_a_refused_frame_is_counted_under_its_category(hub: Hub) -> None:
    hub.dial("in").listen().send(1, b"x", target_segment=7)
    assert hub.rejects.get(timeout=PATIENCE) == "protocol"


def test_a_hub_without_descriptors_accepts_again_once_there_are_some(hub: Hub) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as stranger:
        highest = max(int(name) for name in os.listdir("/dev/fd"))
        taken = [os.dup(0) for _ in range(highest - len(os.listdir("/dev/fd")) + 8)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
        try:
            stranger.connect(hub.hub.address)
            assert hub.rejects.get(timeout=PATIENCE) == "accept"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for fd in taken:
                os.close(fd)
    first, middle = hub.dial("in"), hub.dial("mid").listen()
    first.send(1, b"through")
    assert bytes(middle.arrived.get(timeout=PATIENCE).payload) == b"through"


def test_a_worker_that_is_hung_up_on_in_its_handshake_dials_again(hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as front:
        fickle = threading.Thread(target=hang_up_twice, args=(front, hub.hub.address))
        fickle.start()
        middle = hub.dial("mid", address=front.getsockname()).listen()
        hub.dial("in").send(1, b"through")
        assert bytes(middle.arrived.get(timeout=PATIENCE).payload) == b"through"
        middle.outlet.shutdown()
        fickle.join()


def hang_up_twice(front: socket.socket, hub: tuple[str, int]) -> None:
    """Drop two connections, and pass on what a third one and the hub say."""
    for _ in range(2):
        front.accept()[0].close()
    caller, _ = front.accept()
    with caller, socket.create_connection(hub) as callee:
        back = threading.Thread(target=pump, args=(callee, caller))
        back.start()
        pump(caller, callee)
        back.join()


def pump(giver: socket.socket, taker: socket.socket) -> None:
    while data := giver.recv(65_536):
        taker.sendall(data)
    taker.shutdown(socket.SHUT_WR)


# ---- a worker takes another one's place --------------------------------------------------------


class Replacing(Hub):
    """A hub whose middle worker may be replaced."""

    def __init__(self, plan: ExecutionPlan) -> None:
        super().__init__(plan)
        self.credit = Credit(8)

    def keeper(self) -> Peer:
        """The first worker, which keeps what is not acknowledged."""
        retention = Retention(["mid-0"], lambda: self.credit.acknowledged)
        return self.dial("in", retention=retention)

    def successor(self) -> Peer:
        """The second life of the middle one: here, and in its place."""
        self.hub.expect("mid-0.2")
        self.now = {**WORKERS, "mid-0": "mid-0.2"}
        peer = self.dial("mid-0.2", workers=self.now).listen()
        self.relay.hand_over("mid-0.2")
        return peer

    def shared(self, worker: str) -> BootstrapKeyBundle:
        edges = edges_of(self._plan, self.now)
        return self._keys.shared(worker, [edge for edge in edges if "mid-0.2" in edge])


@pytest.fixture
def replacing() -> Iterator[Replacing]:
    plan = prepare(build_config(settings(Path("out.txt")))).plan
    before = threads()
    hub = Replacing(plan)
    hub.hub.start()
    yield hub
    hub.close()
    assert not left_since(before)


def test_a_successor_is_sent_what_was_not_acknowledged_and_then_what_follows(
    replacing: Replacing,
) -> None:
    first, middle = replacing.keeper(), replacing.dial("mid").listen()
    for epoch in range(1, 5):
        first.send(epoch, b"%d" % epoch)
        middle.arrived.get(timeout=PATIENCE)
    middle.close()
    replacing.credit.acknowledge(2)
    second = replacing.successor()
    first.send(5, b"5")  # still to the one that has gone
    first.outlet.turn_to("mid-0.2", replacing.shared("in-0.1"))
    first.send(6, b"6")
    came = [second.arrived.get(timeout=PATIENCE) for _ in range(4)]
    assert [(a.header.epoch, bytes(a.payload)) for a in came] == [
        (3, b"3"),
        (4, b"4"),
        (5, b"5"),
        (6, b"6"),
    ]
    assert {a.header.receiver for a in came} == {"mid-0.2"}
    assert replacing.faults.empty()
    assert replacing.relay.counters.stale == 1


def test_a_frame_that_is_faster_than_the_word_of_its_sender_waits_for_it(
    replacing: Replacing,
) -> None:
    last = replacing.dial("out", introduction_seconds=PATIENCE).listen()
    second = replacing.successor()
    second.send(1, b"fast", to=2, source_segment=1)
    assert last.arrived.empty()
    last.outlet.introduce(replacing.shared("out-0.1"))
    assert bytes(last.arrived.get(timeout=PATIENCE).payload) == b"fast"


def test_a_frame_of_a_sender_that_nobody_introduces_is_refused(replacing: Replacing) -> None:
    last = replacing.dial("out", introduction_seconds=0.05).listen()
    second = replacing.successor()
    second.send(1, b"fast", to=2, source_segment=1)
    assert isinstance(last.ended.get(timeout=PATIENCE), UnknownPeerError)


def test_what_comes_late_of_a_replaced_sender_takes_nothing_from_those_that_wait(
    replacing: Replacing,
) -> None:
    first, middle = replacing.dial("in"), replacing.dial("mid").listen()
    first.send(1, b"waits", to=2)
    first.send(1, b"sync")
    middle.arrived.get(timeout=PATIENCE)  # both are with the hub
    replacing.successor()
    late = {"source_segment": 1, "target_segment": 2}
    middle.send(1, b"late", to=2, **late)
    first.send(2, b"follows", to=2)
    last = replacing.dial("out").listen()
    came = [bytes(last.arrived.get(timeout=PATIENCE).payload) for _ in range(2)]
    assert came == [b"waits", b"follows"]
