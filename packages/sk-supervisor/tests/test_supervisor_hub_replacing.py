"""A worker takes another one's place at the hub: nothing is lost, nothing comes twice."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from sk_control import BootstrapKeyBundle
from sk_supervisor._worker.inbox import Credit
from sk_supervisor._worker.replay_buffer import ReplayBuffer
from sk_transport import FrameDecoder, FrameKind, ReplayedNonceError, UnknownPeerError
from supervisor_frames import header
from supervisor_harness import PATIENCE
from supervisor_hub_ends import LIMITS, WORKERS, Hub, Peer, begun, edges_of


class Replacing(Hub):
    """A hub whose middle worker may be replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.credit = Credit(8)

    def keeper(self) -> Peer:
        """The first worker, which keeps what is not acknowledged."""
        replay_buffer = ReplayBuffer(["mid-0"], lambda: self.credit.acknowledged)
        return self.dial("in", replay_buffer=replay_buffer)

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
    with begun(Replacing) as hub:
        yield hub


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
    first.data_plane.turn_to("mid-0.2", replacing.shared("in-0.1"))
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


def test_who_is_told_twice_of_a_successor_goes_on_sending_to_it(replacing: Replacing) -> None:
    """What may not be done is sent to it once."""
    first, middle = replacing.keeper(), replacing.dial("mid").listen()
    first.send(1, b"1")
    middle.arrived.get(timeout=PATIENCE)
    middle.close()
    second = replacing.successor()
    for _ in range(2):
        first.data_plane.turn_to("mid-0.2", replacing.shared("in-0.1"))
    first.send(2, b"2")
    came = [second.arrived.get(timeout=PATIENCE) for _ in range(2)]
    assert [bytes(each.payload) for each in came] == [b"1", b"2"]
    assert replacing.faults.empty()


def test_a_second_introduction_opens_nothing_to_replays(replacing: Replacing) -> None:
    last, second = replacing.dial("out"), replacing.successor()
    last.data_plane.introduce(replacing.shared("out-0.1"))
    signer = second.data_plane._signers["out-0.1"]
    [frame] = FrameDecoder(LIMITS.frames).feed(b"".join(signer.seal(FrameKind.BATCH, b"")))
    last.data_plane._verifiers["mid-0.2"].verify(frame)
    last.data_plane.introduce(replacing.shared("out-0.1"))
    with pytest.raises(ReplayedNonceError):
        last.data_plane._verifiers["mid-0.2"].verify(frame)


class Awaited(threading.Condition):
    """Says when somebody begins to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = threading.Event()

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        self.waited_for.set()
        return super().wait_for(predicate, timeout)


def test_a_frame_that_is_faster_than_the_word_of_its_sender_waits_for_it(
    replacing: Replacing,
) -> None:
    last = replacing.dial("out", introduction_seconds=PATIENCE)
    last.data_plane._introduced = introduced = Awaited()
    last.listen()
    second = replacing.successor()
    second.send(1, b"fast", to=2, source_segment=1)
    assert introduced.waited_for.wait(PATIENCE)  # so the frame has come
    assert last.arrived.empty()
    last.data_plane.introduce(replacing.shared("out-0.1"))
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


def test_what_is_acknowledged_is_let_go_of_as_more_is_sent() -> None:
    acknowledged, payload = 0, bytes(1000)
    replay_buffer = ReplayBuffer(["mid-0"], lambda: acknowledged)
    alone = sys.getrefcount(payload)
    replay_buffer.keep(header(epoch=1), payload, final=False)
    assert sys.getrefcount(payload) == alone + 1
    acknowledged = 1
    replay_buffer.keep(header(epoch=2), b"next", final=False)
    assert sys.getrefcount(payload) == alone
