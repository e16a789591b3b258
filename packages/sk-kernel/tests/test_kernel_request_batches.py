"""``process_batch`` for requests that have come together: each outcome stays its request's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_requests import one_batch, placed, spec
from sk_kernel import FailureSpec, NodeFailure
from sk_kernel.runtime import (
    WHOLE,
    Answer,
    ApplicationContext,
    Entrances,
    Identity,
    Outcomes,
    RequestRunner,
    SegmentRunner,
    TraceIds,
    Visit,
)

NODES = """
calls = []
bad, behave = set(), None
@node
class Double:
    def __call__(self, a: A) -> B:
        calls.append(a.n)
        if a.n in bad: raise ValueError("secret")
        return B(2 * a.n)
    def process_batch(self, several: Sequence[A]) -> list[B]:
        calls.append([a.n for a in several])
        if behave is not None: return behave(several)
        if bad & {a.n for a in several}: raise ValueError("secret")
        return [B(2 * a.n) for a in several]
@node
def behind(b: B) -> D:
    return D(str(b.n))
"""


@pytest.fixture
def made(declare: Callable[..., ModuleType]) -> ModuleType:
    return declare("from collections.abc import Sequence\n" + NODES)


def _asked(module: ModuleType, numbers: Sequence[int], **failure: Any) -> list[Answer]:
    policy = FailureSpec(nodes={"double": NodeFailure(**failure)} if failure else {})
    context = ApplicationContext(spec(module, failure=policy))
    plan = placed(context, {"double": "h", "behind": "h"})
    return one_batch(context, plan, "double", [module.A(n) for n in numbers])


def _said(answers: Sequence[Answer]) -> dict[str, str]:
    return {a.request: a.cause_type or a.payload.text for a in answers}


def test_requests_that_have_come_together_are_one_call(made: ModuleType) -> None:
    assert _said(_asked(made, [1, 2, 3])) == {"r0": "2", "r1": "4", "r2": "6"}
    assert made.calls == [[1, 2, 3]]


def test_one_that_comes_alone_comes_by_itself(made: ModuleType) -> None:
    assert _said(_asked(made, [5])) == {"r0": "10"}
    assert made.calls == [5]


def test_the_request_that_call_raises_on_fails_and_no_other(made: ModuleType) -> None:
    made.bad = {2}
    assert _said(_asked(made, [1, 2, 3])) == {"r0": "2", "r1": "ValueError", "r2": "6"}
    assert made.calls == [[1, 2, 3], 1, 2, 3]


def _raises(several: Sequence[Any]) -> list[Any]:
    raise LookupError("secret")


def _exits(several: Sequence[Any]) -> list[Any]:
    raise SystemExit(3)


@pytest.mark.parametrize("behave", [_raises, _exits, lambda several: [], lambda several: None])
def test_what_process_batch_does_wrong_alone_fails_no_request(
    made: ModuleType, behave: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    made.behave = behave
    with caplog.at_level(logging.WARNING, "sk_kernel"):
        assert _said(_asked(made, [1, 2])) == {"r0": "2", "r1": "4"}
    (told,) = caplog.messages
    assert "process_batch of 'double' raised" in told
    assert "secret" not in told


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    import sys

    name = "request_batches_law"
    made = ModuleType(name)
    sys.modules[name] = made
    head = (
        "import msgspec\nfrom collections.abc import Sequence\nfrom sk_kernel import node\n"
        "class A(msgspec.Struct):\n    n: int\n"
        "class B(msgspec.Struct):\n    n: int\n"
        "class D(msgspec.Struct):\n    text: str\n"
    )
    exec(head + NODES, vars(made))  # noqa: S102 - the text above
    yield made
    del sys.modules[name]


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    bad=st.sets(st.integers(0, 9), max_size=3),
    policy=st.sampled_from(["fail", "skip"]),
    attempts=st.integers(1, 2),
)
def test_together_they_come_to_what_each_comes_to_alone(
    module: ModuleType, numbers: list[int], bad: set[int], policy: str, attempts: int
) -> None:
    vars(module)["bad"] = bad
    failure = {} if policy == "fail" else {"policy": policy, "attempts": attempts}
    whole = {
        a.request: a[2:] for a in _asked(module, numbers, **failure) if a.weight or a.is_policy_drop
    }
    alone = {}
    for place, number in enumerate(numbers):
        for answer in _asked(module, [number], **failure):
            if answer.weight or answer.is_policy_drop:
                alone[f"r{place}"] = answer[2:]
    assert whole == alone


SPREADING = """
import asyncio
live = peak = 0
@node
async def spread(a: A) -> list[B]:
    return [B(n) for n in range(a.n)]
@node
async def held(b: B) -> D:
    global live, peak
    live += 1
    peak = max(peak, live)
    for _ in range(3):
        await asyncio.sleep(0)
    live -= 1
    return D(str(b.n))
"""


def test_of_requests_that_pass_by_themselves_a_node_has_no_more_coroutines_than_of_a_batch(
    declare: Callable[..., ModuleType],
) -> None:
    module = declare(SPREADING)
    context = ApplicationContext(spec(module))
    plan = placed(context, {"spread": "h", "held": "h"})
    segment, entrances = plan.segment_of("spread"), Entrances(context.graph, "r")
    own = Identity("r", "s", "h", TraceIds("r"))
    entry = entrances.entry("spread", module.A)
    visits = [Visit(f"r{n}", WHOLE, entry, entrances.root(n, 0, 1), module.A(50)) for n in range(3)]

    async def all_of_them() -> list[Outcomes]:
        return await asyncio.gather(*(requests.overlap([visit]) for visit in visits))

    with asyncio.Runner() as loop:
        runner = SegmentRunner(context, plan, segment, context.container(), own, loop=loop)
        requests = RequestRunner(plan, segment, runner)
        assert requests.manner.overlapping
        outcomes = loop.run(all_of_them())
    assert [len(outcome.answers) for outcome in outcomes] == [50, 50, 50]
    assert module.peak == 64
