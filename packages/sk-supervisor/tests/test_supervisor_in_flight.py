"""What a worker that fails had at hand: told by the hub from the headers of what it relays."""

from __future__ import annotations

import selectors
import socket
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_supervisor import prepare
from sk_supervisor._hub.in_flight import InFlight
from sk_supervisor._hub.links import HubLinks
from sk_supervisor._hub.relay import Relay
from sk_supervisor._protocol.frames import AckHeader
from sk_supervisor.errors import AtHand, RuntimeWorkerFailedError
from sk_transport import DetachedChannel
from supervisor_frames import header
from supervisor_harness import PATIENT, settings, supervised

WORKERS = {"in-0": "in-0.1", "mid-0": "mid-0.1", "out-0": "out-0.1"}
BOUND = 25.0
#: Source and sink in one group, with the others between them.
ROUND = (
    {"name": "in", "nodes": ["source:source", "split", "sink:sink"]},
    {"name": "mid", "nodes": ["work", "tally_up"]},
)


class Line:
    """in (segment 0) sends to mid (1) and out (2), mid to out: batches of ten records."""

    def __init__(self) -> None:
        plan = prepare(build_config(settings(Path("out.txt")))).plan
        self.relay = Relay(plan, WORKERS, ["mid"])
        self.now = dict(WORKERS)

    def sends(self, sender: str, receiver: str, epoch: int, **changes: Any) -> None:
        places = list(WORKERS)
        frame = header(
            sender=self.now[sender],
            receiver=self.now[receiver],
            source_segment=places.index(sender),
            target_segment=places.index(receiver),
            epoch=epoch,
            **{"first": epoch * 10 - 9, "last": epoch * 10, **changes},
        )
        self.relay.route(self.now[sender], frame, final="last" in changes)

    def is_done(self, epoch: int) -> None:
        self.relay.acknowledge("out-0.1", AckHeader("out-0.1", 2, epoch))

    def at_hand(self, place: str) -> AtHand | None:
        return self.relay.at_hand(self.now[place])


def test_what_was_sent_to_a_worker_and_has_not_come_out_of_it_is_at_hand() -> None:
    line = Line()
    assert line.at_hand("mid-0") is None
    for epoch in (1, 2, 3):
        line.sends("in-0", "mid-0", epoch)
    assert line.at_hand("mid-0") == AtHand(1, 10, 30, 3)
    line.sends("mid-0", "out-0", 1)
    assert line.at_hand("mid-0") == AtHand(11, 20, 30, 2)
    line.sends("mid-0", "out-0", 3)
    assert line.at_hand("mid-0") is None


def test_a_last_worker_is_done_with_what_it_acknowledges() -> None:
    line = Line()
    for epoch in (1, 2):
        line.sends("mid-0", "out-0", epoch)
    assert line.at_hand("out-0") == AtHand(1, 10, 20, 2)
    line.is_done(1)
    assert line.at_hand("out-0") == AtHand(11, 20, 20, 1)


def test_the_end_of_input_is_no_batch() -> None:
    line = Line()
    line.sends("in-0", "mid-0", 1)
    line.sends("mid-0", "out-0", 1)
    line.sends("in-0", "mid-0", 2, first=11, last=10)
    assert line.at_hand("mid-0") is None


def test_a_successor_has_at_hand_what_was_sent_to_itself() -> None:
    line = Line()
    for epoch in (1, 2, 3):
        line.sends("in-0", "mid-0", epoch)
    line.sends("mid-0", "out-0", 2)
    line.is_done(1)
    line.relay.hand_over("mid-0.2")
    assert line.at_hand("mid-0") is None  # who was followed
    line.now["mid-0"] = "mid-0.2"
    assert line.at_hand("mid-0") is None
    for epoch in (2, 3):
        line.sends("in-0", "mid-0", epoch)
    assert line.at_hand("mid-0") == AtHand(11, 20, 30, 2)


def test_of_whoever_reads_the_source_nothing_is_known() -> None:
    plan = prepare(build_config(settings(Path("out.txt"), groups=ROUND))).plan
    assert len(plan.segments) == 3
    flight = InFlight(plan)
    flight.sent("in-0", "mid-0", header())
    flight.sent("mid-0", "in-0", header())
    assert flight.at_hand("in-0") is None


def test_what_all_are_done_with_is_forgotten() -> None:
    plan = prepare(build_config(settings(Path("out.txt")))).plan
    flight = InFlight(plan)
    for epoch in range(1, 1001):
        flight.sent("in-0", "mid-0", header(epoch=epoch))
        flight.acknowledged("out-0", epoch - 3)
    assert len(flight._batches) == 3


@pytest.mark.parametrize(
    ("at_hand", "words"),
    [
        (AtHand(29_720, 30_719, 30_719, 1), "records 29720 to 30719"),
        (AtHand(1, 10, 20, 2), "records 1 to 10; then 1 more batch up to record 20"),
        (AtHand(1, 10, 3000, 4), "records 1 to 10; then 3 more batches up to record 3000"),
    ],
)
def test_what_was_at_hand_is_told_by_its_records(at_hand: AtHand, words: str) -> None:
    error = RuntimeWorkerFailedError("crash", "mid", "mid-0.1", at_hand=at_hand)
    assert str(error).splitlines()[1] == f"  in progress: {words}"


def test_a_batch_is_not_told_where_the_record_is() -> None:
    at_hand = AtHand(1, 10, 10, 1)
    error = RuntimeWorkerFailedError("execution", "mid", "m", at_hand=at_hand, trace_id="ab" * 16)
    assert "in progress" not in str(error)
    assert error.at_hand == at_hand


def test_what_a_worker_said_is_read_although_it_hears_nothing_more() -> None:
    near, far = socket.socketpair()
    with selectors.DefaultSelector() as selector, near:
        links = HubLinks(selector, on_lost=lambda _: None)
        links.admit(DetachedChannel("mid-0.1", near, None, None, None))  # type: ignore[arg-type]
        with far:
            far.sendall(b"its last batch")
        links.send("mid-0.1", [b"for it"])
        assert near.recv(100) == b"its last batch"
        assert near.recv(100) == b""
        assert "mid-0.1" in links.here  # until its reader comes to the end


def test_whoever_cannot_be_sent_to_is_told_that_no_more_comes() -> None:
    near, far = socket.socketpair()
    with selectors.DefaultSelector() as selector, near, far:
        links = HubLinks(selector, on_lost=lambda _: None)
        links.admit(DetachedChannel("mid-0.1", near, None, None, None))  # type: ignore[arg-type]
        far.shutdown(socket.SHUT_RD)
        links.send("mid-0.1", [b"for it"])
        far.settimeout(BOUND)
        assert far.recv(100) == b""


# ---- on real processes -------------------------------------------------------------------------


@pytest.mark.contract("PROC-03", "P5PRE-LIFE-03")
def test_a_worker_that_dies_names_the_records_that_it_had_at_hand(target: Path) -> None:
    work, platform = {"at": 15, "do": "kill"}, {"batch": {"max_records": 4}}
    with supervised(target, work=work, platform=platform, every_group=PATIENT) as run:
        error = run.fails()
        [event] = run.events("worker_failed")
    at_hand = error.at_hand
    assert at_hand is not None
    assert at_hand.first <= 15 <= at_hand.last
    assert at_hand.oldest_last - at_hand.first < 4
    assert f"\n  in progress: {at_hand}\n" in str(error)
    told = {name: event.fields[f"at_hand_{name}"] for name in AtHand._fields}
    assert told == at_hand._asdict()


@pytest.mark.contract("P5PRE-LIFE-03")
def test_a_sink_that_fails_names_the_batch_that_it_had(target: Path) -> None:
    platform = {"batch": {"max_records": 4}}
    with supervised(target, sink={"fails": "write"}, platform=platform, every_group=PATIENT) as run:
        error = run.fails()
    assert error.at_hand is not None
    assert error.at_hand.first == 1
    assert f"\n  in progress: {error.at_hand}" in str(error)
