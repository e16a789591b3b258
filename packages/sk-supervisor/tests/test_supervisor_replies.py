"""Replies are made where their classes hold up nothing but replies, and end nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asked_app import Ask, Reply
from asked_made import DEEDS, Made, Make, Poison
from asking import SIDE, Gate, asked
from sk_kernel import Envelope, NodeOutputError, ReplyWaiter, TerminalEvent
from sk_kernel.runtime import WHOLE, Answer, ReplyWaiterService, RequestCodec, frames_of
from sk_supervisor import Service, prepare, serve
from sk_supervisor._requests.replies import Come as Coming
from sk_supervisor._requests.replies import Replies
from supervisor_heard import hearing

PATIENCE = 30.0
CALLERS = "0af7651916cd43dd8448eb211c80319c"
MODULES = ("asked_app", "asked_side", "asked_made")
TWO: tuple[dict[str, Any], ...] = (
    {"name": "one", "nodes": ["first", "second", "making", "tasting", *SIDE]},
    {"name": "two", "nodes": ["third", "last"]},
)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serve(asked(TWO, modules=MODULES)) as service:
        yield service


@pytest.fixture
def deed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], Any]], None]:
    """Has the reply of a name do something in this process."""
    return lambda name, does: monkeypatch.setitem(DEEDS, name, does)


def raising(error: BaseException) -> None:
    raise error


def test_while_a_reply_is_made_the_hub_relays_on(
    service: Service, deed: Callable[[str, Callable[[], Any]], None], tmp_path: Path
) -> None:
    gate, made, release = Gate(tmp_path), threading.Event(), threading.Event()
    deed("slow", lambda: (made.set(), release.wait(PATIENCE)))
    slow = service.request(Envelope(Make("slow")))
    assert made.wait(PATIENCE)
    behind = service.request(Envelope(Ask(1, do="wait:last", gate=gate.path)))
    gate.reached()  # in the other group, to which the hub has brought it
    assert not slow.done()
    release.set()
    gate.open()
    assert [slow.wait(PATIENCE).status, behind.wait(PATIENCE).status] == ["success"] * 2


def test_a_request_whose_reply_takes_longer_to_make_than_it_has_is_out_of_time(
    service: Service, deed: Callable[[str, Callable[[], Any]], None]
) -> None:
    release = threading.Event()
    deed("slow", lambda: release.wait(PATIENCE))
    outcome = service.request(Envelope(Make("slow")), timeout_seconds=0.2).wait()
    release.set()
    assert outcome.status == "timeout"


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(1), KeyboardInterrupt()])
def test_what_a_reply_raises_as_it_is_made_fails_its_request_alone(
    service: Service, deed: Callable[[str, Callable[[], Any]], None], error: BaseException
) -> None:
    deed("raising", lambda: raising(error))
    outcome = service.request(Envelope(Make("raising"))).wait(PATIENCE)
    assert (outcome.status, outcome.group, outcome.node) == ("error", "one", "making")
    assert outcome.cause_type == "NodeOutputError"
    assert service.request(Envelope(Make("other"))).wait(PATIENCE).status == "success"


def test_the_traceback_of_a_reply_that_raises_as_it_is_made_is_logged(
    service: Service, deed: Callable[[str, Callable[[], Any]], None]
) -> None:
    deed("raising", lambda: raising(RuntimeError("no such tenant")))
    with hearing("sk_supervisor", "no such tenant") as heard:
        service.request(Envelope(Make("raising"), trace_id=CALLERS)).wait(PATIENCE)
        assert heard.came.wait(PATIENCE)
    text = "\n".join(line for _, line in heard.lines)
    assert text.startswith(
        "a request has failed: 'making' returned Made that the class refuses (RuntimeError)"
        f" (trace {CALLERS})\nTraceback"
    )
    assert "asked_made.py" in text
    assert text.endswith("RuntimeError: no such tenant")


def test_a_payload_that_would_end_the_worker_as_it_is_made_there_fails_its_request_alone(
    service: Service,
) -> None:
    outcome = service.request(Envelope(Poison(os.getpid()))).wait(PATIENCE)
    assert (outcome.node, outcome.cause_type) == ("tasting", "UnsendableRequestError")
    assert service.request(Envelope(Make("other"))).wait(PATIENCE).status == "success"


def test_a_run_ends_beside_a_reply_that_is_never_made() -> None:
    made, release = threading.Event(), threading.Event()
    DEEDS["never"] = lambda: (made.set(), release.wait(PATIENCE))
    try:
        with serve(asked(TWO, modules=MODULES)) as service:
            waiter = service.request(Envelope(Make("never")), timeout_seconds=2)
            assert made.wait(PATIENCE)
            assert waiter.wait().status == "timeout"
    finally:
        del DEEDS["never"]
        release.set()


class Come:
    """Replies by name, as they come from a worker, for the waiters of these names."""

    def __init__(self) -> None:
        plan = prepare(asked(TWO, modules=MODULES)).plan
        self._codec = RequestCodec(plan.graph)
        self.waiters = ReplyWaiterService()
        self.told: list[NodeOutputError] = []
        self.replies = Replies(self._codec, self.waiters, lambda _: None, self.told.append)

    def put(self, **payloads: Any) -> list[ReplyWaiter]:
        """Have replies come in one frame, by names; whoever waits for each."""
        waiters = [self.waiters.register(name) for name in payloads]
        answers = [Answer(name, WHOLE, True, said, "last") for name, said in payloads.items()]
        (frame,) = frames_of(self._codec.answer_parts(answers, 1 << 20), 1 << 20)
        said = zip(waiters, self._codec.answers(frame), strict=True)
        self.replies.put("two-0.1", [Coming(*each, "two", "") for each in said])
        return waiters


def plain(text: str = "") -> Reply:
    return Reply(1, 1, [], text, None, {})


def test_a_plain_reply_is_given_at_once() -> None:
    (waiter,) = Come().put(a=plain())
    assert waiter.outcome == TerminalEvent("a", "success", plain())


def test_a_plain_reply_that_is_not_as_declared_is_reported_by_the_other_thread() -> None:
    come = Come()
    wrong: Any = "one"
    (waiter,) = come.put(a=Reply(wrong, 1, [], "", None, {}))
    assert (waiter.done(), come.told) == (False, [])
    come.replies.leave()
    come.replies.attend()
    assert waiter.outcome is not None
    assert waiter.outcome.cause_type == "NodeOutputError"
    assert [error.node for error in come.told] == ["last"]


@pytest.mark.parametrize("payload", [Made("any"), plain("x" * 70_000)], ids=["made", "large"])
def test_what_may_take_its_time_is_made_in_the_other_thread_and_none_overtakes_it(
    payload: Any,
) -> None:
    come = Come()
    waiters = [*come.put(a=payload), *come.put(b=plain())]
    assert [waiter.done() for waiter in waiters] == [False, False]
    come.replies.leave()
    come.replies.attend()
    assert [waiter.done() for waiter in waiters] == [True, True]
    assert come.put(c=plain())[0].done()


def test_replies_that_are_small_each_and_large_together_are_made_in_the_other_thread() -> None:
    small = plain("x" * 40_000)
    assert all(Come().put(a=small)[0].done() for _ in range(2))
    come = Come()
    waiters = come.put(a=small, b=small)
    assert [waiter.done() for waiter in waiters] == [False, False]
    come.replies.leave()
    come.replies.attend()
    assert [waiter.done() for waiter in waiters] == [True, True]
