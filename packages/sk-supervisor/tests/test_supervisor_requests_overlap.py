"""Requests that wait in coroutines of a worker hold up neither each other nor the worker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from asked_mixed import Ask
from asked_overlapping import Enter
from asking import asked
from sk_kernel import Envelope
from sk_kernel.runtime import Outcomes
from sk_supervisor import Service, serve
from sk_supervisor._worker.inbox import GateOpened, Inbox
from sk_supervisor._worker.overlap import Overlap

ONE = ({"name": "one", "nodes": ["passing"], "runner_profile": "async"},)
PATIENCE = 30.0


@pytest.fixture(scope="module")
def one() -> Iterator[Service]:
    """One worker."""
    with serve(asked(ONE, modules=("asked_overlapping",))) as service:
        yield service


def test_an_answer_leaves_while_others_wait_in_the_same_node(one: Service) -> None:
    slow = one.request(Envelope(Enter(waits="a")), timeout_seconds=PATIENCE)
    assert one.request(Envelope(Enter())).wait().status == "success"
    assert not slow.done()
    assert one.request(Envelope(Enter(opens="a"))).wait().status == "success"
    assert slow.wait().status == "success"


def test_as_one_ends_the_next_of_many_begins(one: Service) -> None:
    """More than may be under way at once, of which the first waits for the last."""
    first = one.request(Envelope(Enter(waits="b")), timeout_seconds=PATIENCE)
    rest = [one.request(Envelope(Enter())) for _ in range(200)]
    assert {waiter.wait().status for waiter in rest} == {"success"}
    last = one.request(Envelope(Enter(opens="b")))
    assert (first.wait().status, last.wait().status) == ("success", "success")


def test_a_plain_node_beside_a_coroutine_is_called_in_no_event_loop() -> None:
    both = ({**ONE[0], "nodes": ["runs_a_loop", "passing"]},)
    with serve(asked(both, modules=("asked_mixed",))) as service:
        outcome = service.request(Envelope(Ask(1)), timeout_seconds=PATIENCE).wait()
    assert (outcome.status, getattr(outcome.payload, "n", outcome.error)) == ("success", 3)


async def _ending(gate: asyncio.Event | None = None) -> tuple[int, Outcomes]:
    if gate is not None:
        await gate.wait()
    return 7, Outcomes([], {})


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def late(loop: asyncio.Runner) -> asyncio.Event:
    """Is not set while the test lasts, unless it would never end."""
    gate = asyncio.Event()
    loop.get_loop().call_later(PATIENCE, gate.set)
    return gate


def has_come(inbox: Inbox) -> Callable[[], bool]:
    """Whether anything is in it: what waits for requests is over then."""
    return lambda: not inbox.empty()


def put_meanwhile(loop: asyncio.Runner, inbox: Inbox, before: Callable[[], object]) -> None:
    """Have another thread put something into the inbox as soon as the loop turns."""

    def put() -> None:
        before()
        inbox.put(GateOpened())

    loop.get_loop().call_soon(lambda: threading.Thread(target=put).start())


def test_who_waits_for_requests_is_woken_by_the_inbox(loop: asyncio.Runner) -> None:
    overlap, inbox = Overlap(loop), Inbox()
    overlap.begin(_ending(late(loop)))
    put_meanwhile(loop, inbox, lambda: None)
    overlap.wait(inbox, has_come(inbox))
    assert isinstance(inbox.get(), GateOpened)
    assert (len(overlap), overlap.ended()) == (1, [])


def test_who_waits_for_the_word_to_stop_hears_it_while_a_request_is_under_way(
    loop: asyncio.Runner,
) -> None:
    """And nothing else that is put into the inbox ends the wait: it is there before."""
    overlap, inbox, stop = Overlap(loop), Inbox(), threading.Event()
    overlap.begin(_ending(late(loop)))
    inbox.put(GateOpened())
    put_meanwhile(loop, inbox, stop.set)
    overlap.wait(inbox, stop.is_set)
    assert stop.is_set()
    assert (len(overlap), overlap.ended()) == (1, [])


def test_what_is_put_there_ends_no_wait_for_something_else(loop: asyncio.Runner) -> None:
    overlap, inbox, gate = Overlap(loop), Inbox(), asyncio.Event()
    overlap.begin(_ending(gate))
    asked: list[int] = []

    def enough() -> bool:
        asked.append(inbox.size())
        if asked[-1] == 1:  # it has been woken
            loop.get_loop().call_soon(gate.set)
        return False

    put_meanwhile(loop, inbox, lambda: None)
    overlap.wait(inbox, enough)
    assert asked[-1] == 1
    assert len(overlap.ended()) == 1


def test_at_the_end_all_are_waited_for(loop: asyncio.Runner) -> None:
    async def slowly() -> tuple[int, Outcomes]:
        for _ in range(50):
            await asyncio.sleep(0)
        return await _ending()

    overlap = Overlap(loop)
    overlap.begin(_ending())
    overlap.begin(slowly())
    overlap.end(PATIENCE)
    assert len(overlap.ended()) == 2


def test_one_that_goes_on_at_the_end_is_left_when_its_time_is_over(loop: asyncio.Runner) -> None:
    overlap = Overlap(loop)
    overlap.begin(_ending(late(loop)))
    overlap.end(0.01)
    assert (len(overlap), overlap.ended()) == (1, [])


def test_what_is_in_the_inbox_already_is_not_waited_for(loop: asyncio.Runner) -> None:
    overlap, inbox = Overlap(loop), Inbox()
    overlap.begin(_ending(late(loop)))
    inbox.put(GateOpened())
    overlap.wait(inbox, has_come(inbox))
    assert not inbox.empty()


def test_those_under_way_get_on_though_the_inbox_is_never_empty(loop: asyncio.Runner) -> None:
    overlap, inbox = Overlap(loop), Inbox()
    gate = asyncio.Event()
    gate.set()
    overlap.begin(_ending(gate))
    inbox.put(GateOpened())
    for _ in range(3):
        overlap.wait(inbox, has_come(inbox))
    assert len(overlap.ended()) == 1


def test_one_that_ends_while_others_run_the_loop_does_not_stop_these(loop: asyncio.Runner) -> None:
    overlap, gate = Overlap(loop), asyncio.Event()
    overlap.begin(_ending(gate))

    async def batch() -> str:
        gate.set()
        while not overlap.ended():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "whole"

    assert loop.run(batch()) == "whole"


def test_what_one_raises_is_raised_to_who_asks_for_what_has_ended(loop: asyncio.Runner) -> None:
    async def broken() -> tuple[int, Outcomes]:
        raise LookupError("broken")

    overlap = Overlap(loop)
    overlap.begin(broken())
    inbox = Inbox()
    overlap.wait(inbox, has_come(inbox))
    with pytest.raises(LookupError):
        overlap.ended()
