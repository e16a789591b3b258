"""What a worker answers to frames of requests, and in which order it leaves."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from asked_kept import Add, Part, Parts, Repeat, Say
from asked_overlapping import Enter, gates
from asking import asked
from sk_kernel.runtime import (
    WHOLE,
    Answer,
    Entrances,
    Identity,
    RequestCodec,
    SegmentRunner,
    TraceIds,
    Visit,
    WirePart,
    frames_of,
)
from sk_supervisor import prepare
from sk_supervisor._protocol.frames import CLIENT, RequestHeader
from sk_supervisor._worker.backlog import MOST_TOGETHER
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.inbox import Inbox, RequestArrived
from sk_supervisor._worker.responder import Responder

LIMIT = 1 << 20
GROUPS = (
    {"name": "one", "nodes": ["adding", "saying", "parting", "looking", "repeating"]},
    {"name": "two", "nodes": ["ending"]},
)
SKIPPING = {"failure": {"nodes": {"looking": {"policy": "skip"}}}}
KEPT = asked(GROUPS, modules=("asked_kept",), runtime=SKIPPING)
PASSING = asked(
    ({"name": "one", "nodes": ["passing"], "runner_profile": "async"},),
    modules=("asked_overlapping",),
)


class Sent:
    """A hub that keeps what it is given, in order."""

    worker_id, run_id = "one-0.1", "r"

    def __init__(self, deeds: list[str]) -> None:
        self.frames: list[tuple[str, bytes]] = []
        self._deeds = deeds

    def worker_at(self, place: str) -> str:
        return f"{place}.1"

    def ask(self, header: RequestHeader, payload: bytes) -> None:
        self.frames.append((header.receiver, payload))
        self._deeds.append(header.receiver)

    def reply(self, payload: bytes) -> None:
        self.frames.append((CLIENT, payload))
        self._deeds.append(CLIENT)


class Worker:
    """Group one's, asked from a test."""

    def __init__(self, app: dict[str, Any] = KEPT, loop: asyncio.Runner | None = None) -> None:
        #: What was encoded, and who was sent a frame, in that order.
        self.deeds: list[str] = []
        prepared = prepare(app)
        plan, application = prepared.plan, prepared.application
        container, about = application.container(), Identity("r", "asked", "one", TraceIds("r"))
        runners = {
            segment.index: SegmentRunner(
                application, plan, segment, container, about, write=lambda _: None, loop=loop
            )
            for segment in plan.of_group("one")
        }
        self._plan, self._codec, self._sent = plan, RequestCodec(plan.graph), Sent(self.deeds)
        self._entrances = Entrances(plan.graph, "r")
        hub = cast("DataPlaneChannel", self._sent)
        self.responder = Responder(plan, runners, hub, max_payload_bytes=LIMIT, loop=loop)
        codec = self.responder._codec
        codec.answer_parts = self._noting("answers", codec.answer_parts)  # type: ignore[method-assign]
        codec.visit_parts = self._noting("visits", codec.visit_parts)  # type: ignore[method-assign]

    def _noting(self, what: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(several: Sequence[Any], limit: int) -> Any:
            if several:
                self.deeds.append(what)
            return call(several, limit)

        return noted

    def take(
        self, target: str, payloads: dict[int, Any], due: float = math.inf, *, run: bool = True
    ) -> None:
        """Requests by number, in one frame."""
        parts = []
        for number, payload in payloads.items():
            edge = self._entrances.entry(target, type(payload))
            key = self._entrances.root(number, 0, 1)
            visit = Visit(f"r{number}", WHOLE, edge, key, payload, due=due)
            parts.append(WirePart(1, self._codec.visit(visit)))
        (frame,) = frames_of(parts, 4 * LIMIT)
        segment = self._plan.segment_of(target).index
        self.responder.take(
            RequestArrived(RequestHeader(CLIENT, "one-0.1", "r", None, segment), frame)
        )
        if run:
            self.run()

    def work(self) -> None:
        """Run some of what waits, as if nothing else had come."""
        self.responder.work(Inbox(), lambda: False)

    def run(self) -> None:
        """Run all that waits."""
        while self.responder.busy:
            self.work()

    def sent(self) -> list[tuple[str, bytes]]:
        """All frames that leave, with whom they go to."""
        return self._sent.frames

    def answers(self) -> list[Answer]:
        """What is in those for the caller."""
        frames = [frame for receiver, frame in self.sent() if receiver == CLIENT]
        found = [answer for frame in frames for answer in self._codec.answers(frame)]
        return [self._codec.read(answer) for answer in found]


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_no_later_frame_changes_a_reply_of_an_earlier_one(worker: Worker) -> None:
    for number in (1, 2, 3):
        worker.take("adding", {number: Add(10)})
    assert [answer.payload.n for answer in worker.answers()] == [10, 20, 30]


def test_what_has_come_in_several_frames_is_run_together_and_answered_in_one(
    worker: Worker,
) -> None:
    for number in (1, 2, 3):
        worker.take("saying", {number + 2: Say(number + 2)}, run=False)
    worker.run()
    assert [answer.request for answer in worker.answers()] == ["r3", "r4", "r5"]
    assert len(worker.sent()) == 1


def test_more_than_are_run_together_are_answered_bit_by_bit(worker: Worker) -> None:
    worker.take("saying", {n: Say(n) for n in range(10, 10 + 2 * MOST_TOGETHER)}, run=False)
    worker.work()
    assert len(worker.answers()) == MOST_TOGETHER
    worker.run()
    assert len(worker.answers()) == 2 * MOST_TOGETHER


def test_a_reply_that_cannot_be_sent_fails_in_its_place_and_names_its_node(worker: Worker) -> None:
    worker.take("saying", {n: Say(n) for n in (1, 2, 3)})
    said = [(answer.request, answer.cause_type) for answer in worker.answers()]
    assert said == [("r1", ""), ("r2", "NodeOutputError"), ("r2", ""), ("r3", "")]
    assert {answer.node for answer in worker.answers()} == {"saying"}


def test_of_a_reply_that_cannot_be_sent_it_is_logged_what_is_wrong_with_it(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    worker.take("saying", {2: Say(2)})
    (said,) = caplog.messages
    assert said.startswith("a request has failed: 'saying' returned ")
    assert "MessagePack cannot carry" in said


def test_of_a_request_that_is_not_as_declared_it_is_logged_which_field_is_not(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    worker.take("adding", {1: Add("secret")})  # type: ignore[arg-type]
    assert [answer.cause_type for answer in worker.answers()] == ["UnsendableRequestError"]
    assert caplog.messages == [
        "a request has failed: a request cannot be sent with a Add with n: str,"
        " but its class declares n: int"
    ]


def test_what_was_given_up_leaves_before_what_may_end_the_request_elsewhere(worker: Worker) -> None:
    worker.take("parting", {1: Parts([0, 1])}, run=False)
    worker.take("looking", {2: Part(1)})
    assert [receiver for receiver, _ in worker.sent()] == [CLIENT, "two-0.1"]
    (loss,) = worker.answers()
    assert (loss.weight, loss.node, loss.is_policy_drop) == (0, "looking", True)


def test_large_replies_are_sent_before_all_of_them_are_encoded(worker: Worker) -> None:
    worker.take("repeating", {n: Repeat(LIMIT // 20) for n in range(60)})
    assert worker.deeds.index(CLIENT) < worker.deeds.index("answers", 1)
    assert [answer.request for answer in worker.answers()] == [f"r{n}" for n in range(60)]


def test_large_records_are_passed_on_before_all_of_them_are_encoded(worker: Worker) -> None:
    worker.take("looking", {n: Part(n + 1, "x" * (LIMIT // 20)) for n in range(60)})
    assert worker.deeds.index("two-0.1") < worker.deeds.index("visits", 1)


def test_a_visit_whose_time_is_over_as_it_comes_is_answered_so(worker: Worker) -> None:
    worker.take("adding", {1: Add("no number")}, due=0.0)  # type: ignore[arg-type]
    (late,) = worker.answers()
    assert (late.request, late.weight, late.node) == ("r1", WHOLE, "adding")
    assert late.cause_type == "RequestExpiredError"


def test_what_has_ended_is_sent_before_another_one_is_waited_for() -> None:
    with asyncio.Runner() as loop:
        worker = Worker(PASSING, loop)
        worker.take("passing", {1: Enter()}, run=False)
        # It ends as a frame comes, and its answer is held for what that may bring.
        while not (worker.responder._held or worker.sent()):
            worker.responder.work(Inbox(), lambda: True)
        worker.take("passing", {2: Enter(waits="later")}, run=False)
        gates.clear()
        sent_before: list[tuple[str, bytes]] = []

        def look() -> None:
            sent_before.extend(worker.sent())
            gates["later"].set()

        loop.get_loop().call_soon(look)
        worker.run()
        assert [receiver for receiver, _ in sent_before] == [CLIENT]
        assert sorted(answer.request for answer in worker.answers()) == ["r1", "r2"]
