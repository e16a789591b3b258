"""Requests that nobody waits for any more: not run, or cancelled where they wait."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from kernel_requests import placed, spec
from sk_kernel import FailureSpec, NodeFailure, RunError
from sk_kernel.runtime import (
    WHOLE,
    Answer,
    ApplicationContext,
    Entrances,
    Identity,
    Losses,
    Outcomes,
    RequestRunner,
    SegmentRunner,
    TraceIds,
    Visit,
)

HANGING = """
calls = []
{state}
@node
class Wait:
    def __init__(self{more}) -> None: ...
    async def __call__(self, a: A) -> B:
        calls.append(a.n)
        if a.n == 7:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if {heedless}: return B(70)
                raise
        return B(a.n)
@node
def behind(b: B) -> D:
    return D(str(b.n))
"""
ALONE = """
calls = []
never = asyncio.Event()
@node
async def wait(a: A) -> D:
    calls.append(a.n)
    await never.wait()
    return D(str(a.n))
"""
STATES = [("", ""), ("@state(key=None)\nclass S: ...", ", s: S")]
#: Long enough to be called before it is over, on a machine that is held up.
SOON = 0.5
PATIENCE = 30.0


class Ran:
    """What requests came to that a segment was given together: ``due`` by their numbers.

    :param before: gets what is to run them.
    """

    def __init__(
        self,
        module: ModuleType,
        due: Mapping[int, float],
        before: Callable[[RequestRunner], object] = lambda _: None,
        **failure: Any,
    ) -> None:
        policy = FailureSpec(nodes={"wait": NodeFailure(**failure)} if failure else {})
        context = ApplicationContext(spec(module, failure=policy))
        plan = placed(context, {"wait": "h", "behind": "h"})
        segment, entrances = plan.segment_of("wait"), Entrances(context.graph, "r")
        own = Identity("r", "s", "h", TraceIds("r"))
        edge = entrances.entry("wait", module.A)
        visits = [
            Visit(f"r{n}", WHOLE, edge, entrances.root(n, 0, 1), module.A(n), due=due[n])
            for n in due
        ]
        self.told: list[RunError] = []
        self.losses = Losses(own)
        with asyncio.Runner() as loop:
            runner = SegmentRunner(
                context, plan, segment, context.container(), own, loop=loop, losses=self.losses
            )
            requests = RequestRunner(plan, segment, runner)
            requests.on_failed = self.told.append
            before(requests)
            self.answers = {answer.request: answer for answer in requests.run(visits).answers}


@pytest.fixture
def made(declare: Callable[..., ModuleType]) -> Callable[..., ModuleType]:
    def build(state: tuple[str, str] = STATES[0], *, heedless: bool = False) -> ModuleType:
        return declare(HANGING.format(state=state[0], more=state[1], heedless=heedless))

    return build


def test_a_request_whose_time_is_over_is_not_run(made: Callable[..., ModuleType]) -> None:
    module, now = made(), time.monotonic()
    ran = Ran(module, {1: math.inf, 2: now, 3: now + 3600})
    assert module.calls == [1, 3]
    late = Answer("r2", WHOLE, node="wait", cause_type="RequestExpiredError")
    assert ran.answers["r2"] == late
    assert [ran.answers[name].payload.text for name in ("r1", "r3")] == ["1", "3"]
    assert ran.told == []  # of no node's doing


@pytest.mark.parametrize(
    ("state", "failure"),
    [
        *((state, failure) for state in STATES for failure in ({}, {"policy": "skip"})),
        (STATES[0], {"policy": "skip", "attempts": 3}),  # none of a node that uses a state
    ],
)
def test_a_coroutine_is_cancelled_when_nobody_waits_for_it(
    made: Callable[..., ModuleType], state: tuple[str, str], failure: Mapping[str, Any]
) -> None:
    module = made(state)
    ran = Ran(module, {6: math.inf, 7: time.monotonic() + SOON, 8: math.inf}, **failure)
    assert module.calls == [6, 7, 8]  # and no further attempt
    assert ran.answers["r7"].cause_type == "RequestExpiredError"
    assert not ran.answers["r7"].is_policy_drop
    assert ran.losses.skipped == 0  # for the policy to let go of there is nothing
    assert [ran.answers[name].payload.text for name in ("r6", "r8")] == ["6", "8"]


@pytest.mark.parametrize("state", STATES)
def test_all_that_wait_are_cancelled_where_nobody_waits_any_more(
    made: Callable[..., ModuleType], state: tuple[str, str]
) -> None:
    """As soon as one waits that has been started, and those behind it."""
    module = made(state)

    class Calls(list[int]):
        def append(self, number: int) -> None:
            super().append(number)
            threading.Thread(target=expire).start()

    def meant(requests: RequestRunner) -> None:
        nonlocal expire
        expire = requests.expire

    expire: Callable[[], None] = lambda: None  # noqa: E731
    module.calls = Calls()
    ran = Ran(module, {7: time.monotonic() + 3600}, meant)
    assert ran.answers["r7"].cause_type == "RequestExpiredError"


def test_what_comes_behind_that_is_not_run_at_all(made: Callable[..., ModuleType]) -> None:
    module = made()
    ran = Ran(module, {7: time.monotonic() + 3600, 8: math.inf}, RequestRunner.expire)
    assert {answer.cause_type for answer in ran.answers.values()} == {"RequestExpiredError"}
    assert module.calls == []


def test_those_that_pass_by_themselves_are_all_cancelled_where_nobody_waits_any_more(
    declare: Callable[..., ModuleType],
) -> None:
    """Further attempts of none are made, and what comes behind them is not run."""
    module = declare(ALONE)
    policy = FailureSpec(nodes={"wait": NodeFailure(policy="skip", attempts=3)})
    context = ApplicationContext(spec(module, failure=policy))
    plan = placed(context, {"wait": "h"})
    segment, entrances = plan.segment_of("wait"), Entrances(context.graph, "r")
    edge = entrances.entry("wait", module.A)
    visits = [
        Visit(f"r{number}", WHOLE, edge, entrances.root(number, 0, 1), module.A(7))
        for number in range(4)
    ]

    async def expired() -> list[Outcomes]:
        tasks = [asyncio.ensure_future(requests.overlap([visit])) for visit in visits[:3]]
        while len(module.calls) < 3:
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(PATIENCE, module.never.set)
        requests.expire()
        return [*await asyncio.gather(*tasks), await requests.overlap(visits[3:])]

    own = Identity("r", "s", "h", TraceIds("r"))
    with asyncio.Runner() as loop:
        runner = SegmentRunner(context, plan, segment, context.container(), own, loop=loop)
        requests = RequestRunner(plan, segment, runner)
        assert requests.manner.overlapping
        outcomes = loop.run(expired())
    said = [(answer.request, answer.cause_type) for each in outcomes for answer in each.answers]
    assert said == [(f"r{number}", "RequestExpiredError") for number in range(4)]
    assert module.calls == [7, 7, 7]


def test_what_is_told_of_it_shows_where_it_stood(made: Callable[..., ModuleType]) -> None:
    (error,) = Ran(made(), {7: time.monotonic() + SOON}).told
    expired = error.__cause__
    assert expired is not None
    assert type(expired.__cause__) is asyncio.CancelledError
    frames = [expired.__cause__.__traceback__]
    while frames[-1] is not None and frames[-1].tb_next is not None:
        frames.append(frames[-1].tb_next)
    assert any(frame and frame.tb_frame.f_code.co_name == "__call__" for frame in frames)


def test_one_that_does_not_heed_it_answers_all_the_same(made: Callable[..., ModuleType]) -> None:
    ran = Ran(made(heedless=True), {7: time.monotonic() + SOON})
    assert ran.answers["r7"].payload.text == "70"
