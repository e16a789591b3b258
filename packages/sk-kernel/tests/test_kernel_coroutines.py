"""Coroutine nodes: overlapping where they may, outputs in the order of their inputs."""

from __future__ import annotations

from typing import Any

import pytest
from kernel_spans import Collected
from sk_kernel import ApplicationSpec, FailureSpec, NodeFailedError, NodeFailure
from sk_kernel.testing import run_application, run_node

OVERLAPPING = """
UNDER_WAY = [0, 0]

@node
async def slow(a: A) -> D:
    UNDER_WAY[0] += 1
    UNDER_WAY[1] = max(UNDER_WAY)
    for _ in range(20 - a.n):
        await asyncio.sleep(0)
    UNDER_WAY[0] -= 1
    return D(str(a.n))
"""


def _spec(module: Any, policy: Any, attempts: int = 1) -> ApplicationSpec:
    failure = FailureSpec(default=NodeFailure(policy=policy, attempts=attempts))
    return ApplicationSpec(scenario="test", discovery_modules=[module.__name__], failure=failure)


def test_outputs_keep_the_order_of_inputs_though_later_ones_are_done_first(declare: Any) -> None:
    module = declare(OVERLAPPING)
    got = run_application([module.__name__], [module.A(n) for n in range(20)])
    assert [d.text for d in got] == [str(n) for n in range(20)]
    assert module.UNDER_WAY[1] == 20


def test_no_more_than_the_limit_are_under_way(declare: Any) -> None:
    module = declare(OVERLAPPING)
    run_application([module.__name__], [module.A(n % 20) for n in range(300)])
    assert module.UNDER_WAY[1] == 64


@pytest.mark.parametrize("ratio", [0.2, 1.0])
@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_coroutines_overlap_as_they_do_without_spans(
    declare: Any, ratio: float, policy: str
) -> None:
    module, observer = declare(OVERLAPPING), Collected()
    spec = _spec(module, policy)
    observed = {"observers": [observer], "sampling_ratio": ratio}
    got = run_application(spec, [module.A(n) for n in range(20)], **observed)
    assert [d.text for d in got] == [str(n) for n in range(20)]
    assert module.UNDER_WAY[1] == 20
    spans = [span for span in observer.spans if span.name == "slow"]
    assert spans
    assert max(span.start_ns for span in spans) <= min(span.end_ns for span in spans)


@pytest.mark.parametrize(("policy", "attempts"), [("fail", 1), ("skip", 1), ("skip", 2)])
def test_the_span_of_a_coroutine_that_fails_has_its_error(
    declare: Any, policy: str, attempts: int
) -> None:
    module, observer = (
        declare(
            """
            @node
            async def f(a: A) -> D:
                await asyncio.sleep(0)
                if a.n == 3: raise ValueError("secret")
                return D(str(a.n))
            """
        ),
        Collected(),
    )
    spec = _spec(module, policy, attempts)
    given = [module.A(n) for n in range(1, 6)]
    if policy == "fail":
        with pytest.raises(NodeFailedError):
            run_application(spec, given, observers=[observer])
    else:
        got = run_application(spec, given, observers=[observer])
        assert [d.text for d in got] == ["1", "2", "4", "5"]
    errors = {span.sequence: span.error for span in observer.spans if span.name == "f"}
    assert errors == {1: None, 2: None, 3: "ValueError", 4: None, 5: None}


@pytest.mark.parametrize("more", [", s: S", ""])
def test_a_coroutine_with_a_state_or_a_finish_takes_one_record_at_a_time(
    declare: Any, more: str
) -> None:
    finish = "" if more else "    def finish(self) -> None: ..."
    module = declare(
        f"""
@state(key=None)
class S: ...
@node
class F:
    def __init__(self{more}): self.total = 0
    async def __call__(self, a: A) -> D:
        before = self.total
        await asyncio.sleep(0)
        self.total = before + a.n
        return D(str(self.total))
{finish}
"""
    )
    got = run_application([module.__name__], [module.A(n) for n in (1, 2, 3)])
    assert [d.text for d in got] == ["1", "3", "6"]


@pytest.mark.parametrize("raised", ["ValueError('secret')", "asyncio.CancelledError()"])
@pytest.mark.parametrize("batch", [1, 4, 100])
def test_the_first_record_that_fails_is_named_though_a_later_one_fails_sooner(
    declare: Any, raised: str, batch: int
) -> None:
    module = declare(
        f"""
        @node
        async def f(a: A) -> D:
            for _ in range(10 - a.n):
                await asyncio.sleep(0)
            if a.n in (3, 4): raise {raised}
            return D("x")
        """
    )
    with pytest.raises(NodeFailedError) as caught:
        run_application([module.__name__], [module.A(n) for n in range(8)], batch_records=batch)
    assert (caught.value.node, caught.value.sequence) == ("f", 4)
    assert caught.value.cause_type in raised
    assert "secret" not in str(caught.value)


def test_a_coroutine_may_give_several_see_a_context_and_finish_as_one(declare: Any) -> None:
    module = declare(
        """
        @node
        class F:
            async def __call__(self, a: A, ctx: Context) -> Sequence[D]:
                return (D(f"{a.n} {ctx.sequence}") for _ in range(2))
            async def finish(self) -> D:
                await asyncio.sleep(0)
                return D("end")
        """
    )
    expected = ["5 1", "5 1", "6 2", "6 2", "end"]
    given = [module.A(5), module.A(6)]
    assert [d.text for d in run_application([module.__name__], given)] == expected
    assert [d.text for d in run_node(module.F, *given, finish=True)] == expected


def test_a_plain_node_may_finish_by_a_coroutine(declare: Any) -> None:
    module = declare(
        """
        @node
        class F:
            def __call__(self, a: A) -> None: ...
            async def finish(self) -> D: return D("end")
        """
    )
    assert [d.text for d in run_application([module.__name__], [module.A(1)])] == ["end"]


SLIDING = """
begun = []
seen = []

@node
async def slow(a: A) -> D:
    begun.append(a.n)
    if a.n == 0:
        for _ in range(100):
            await asyncio.sleep(0)
        seen.append(len(begun))
    return D(str(a.n))
"""


def test_one_that_takes_its_time_holds_up_none_of_those_behind_it(declare: Any) -> None:
    module = declare(SLIDING)
    got = run_application([module.__name__], [module.A(n) for n in range(200)])
    assert [d.text for d in got] == [str(n) for n in range(200)]
    assert module.begun == list(range(200))
    assert module.seen == [200]
