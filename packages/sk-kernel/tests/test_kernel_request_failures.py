"""Of requests that run together one fails: it alone, and nothing of it is run any further."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from kernel_requests import one_batch, placed, spec
from kernel_spans import Collected
from sk_kernel import FailureSpec, NodeFailedError, NodeFailure, RunError
from sk_kernel._batch.request_batch import RequestBatch
from sk_kernel.runtime import (
    SINK,
    SOURCE,
    WHOLE,
    Answer,
    ApplicationContext,
    Entrances,
    Identity,
    KeyOwners,
    RequestRunner,
    SegmentRunner,
    TraceIds,
    Tracer,
    Visit,
    make_plan,
)

STOPPED = """
seen = []
@node
def several(a: A) -> list[B]:
    return [B(a.n + i) for i in range(3)]
@node
def picky(b: B) -> C:
    seen.append(("picky", b.n))
    if b.n == 11: raise ValueError("secret")
    return C(b.n)
@node
def behind(c: C) -> D:
    seen.append(("behind", c.n))
    return D(str(c.n))
"""


def test_of_a_request_that_has_failed_nothing_is_run_any_further_and_of_others_all(
    declare: Callable[..., ModuleType],
) -> None:
    module = declare(STOPPED)
    context = ApplicationContext(spec(module))
    plan = placed(context, dict.fromkeys(("several", "picky", "behind"), "h"))
    entrances, segment = Entrances(context.graph, "r"), plan.segment_of("several")
    runner = SegmentRunner(
        context, plan, segment, context.container(), Identity("r", "s", "h", TraceIds("r"))
    )
    edge = entrances.entry("several", module.A)
    asked = [
        Visit(f"r{number}", WHOLE, edge, entrances.root(number, 0, 1), module.A(10 * number))
        for number in (2, 1, 3)
    ]
    requests, told = RequestRunner(plan, segment, runner), list[RunError]()
    requests.on_failed = told.append
    answers = requests.run(asked).answers
    others = [20, 21, 22, 30, 31, 32]
    assert [n for node, n in module.seen if node == "picky"] == [10, 11, *others]
    assert [n for node, n in module.seen if node == "behind"] == others
    failed = Answer("r1", WHOLE, node="picky", cause_type="ValueError")
    assert [answer for answer in answers if not answer.replied] == [failed]
    assert [answer.payload.text for answer in answers if answer.replied] == list(map(str, others))
    assert [(str(error.__cause__), error.trace_id is not None) for error in told] == [
        ("secret", True)
    ]


MOVED = """
met = []
@state(key="n")
class Seen:
    pass
@node
def moved(a: A) -> B:
    return B(a.n // 100)
@node
def kept(b: B, seen: Seen) -> D:
    met.append(b.n)
    return D(str(b.n))
"""
SHARING = MOVED.replace("(a: A)", "(a: A, seen: Seen)")
WALKED = SHARING.replace("-> B:", "-> B | None:")


@pytest.mark.parametrize("text", [MOVED, SHARING, WALKED], ids=["apart", "in line", "walked"])
def test_a_record_whose_key_a_node_has_moved_is_the_failure_of_its_request_alone(
    declare: Callable[..., ModuleType], text: str
) -> None:
    module = declare(text)
    context = ApplicationContext(spec(module))
    groups = {SOURCE: "g", SINK: "g", "moved": "h", "kept": "h"}
    keys = {module.Seen: "n"}
    plan = make_plan(context.graph, groups, context.all_states, workers_of={"h": 2}, key_of=keys)
    entrances, segment = Entrances(context.graph, "r"), plan.segment_of("moved")
    runner = SegmentRunner(
        context, plan, segment, context.container(), Identity("r", "s", "h", TraceIds("r"))
    )
    edge, owners = entrances.entry("moved", module.A), KeyOwners("n", 2)
    asked = [
        Visit(f"r{n}", WHOLE, edge, entrances.root(n, 0, 1), module.A(100 * n))
        for n in range(1, 20)
    ]
    answers = RequestRunner(plan, segment, runner).run(asked).answers
    own = [n for n in range(1, 20) if owners.of([module.B(n)]) == [0]]
    assert 0 < len(own) < 19
    assert [a.payload.text for a in answers if a.replied] == list(map(str, own))
    assert module.met == own
    failures = [a for a in answers if not a.replied]
    assert {(a.node, a.cause_type) for a in failures} == {("moved", "MovedKeyError")}
    assert len(failures) == 19 - len(own)


HIDDEN = """
@state(key="n")
class Seen:
    pass
@node
def twice(a: A) -> list[B]:
    return [B(a.n), B(-1)]
@node
def moved(b: B) -> C:
    if b.n < 0: raise ValueError("secret")
    return C(KEYS[b.n])
@node
def kept(c: C, seen: Seen) -> D:
    return D(str(c.n))
"""


@pytest.mark.parametrize("hidden", [(1, [2]), [3], "moved"])
def test_the_key_of_a_record_whose_request_has_failed_is_not_looked_at(
    declare: Callable[..., ModuleType], hidden: object
) -> None:
    owners = KeyOwners("n", 2)
    module = declare(HIDDEN)
    other = next(n for n in range(99) if owners.of([module.B(n)]) == [1])
    module.KEYS = [other if hidden == "moved" else hidden]
    context = ApplicationContext(spec(module))
    groups = {SOURCE: "g", SINK: "g", **dict.fromkeys(("twice", "moved", "kept"), "h")}
    keys = {module.Seen: "n"}
    plan = make_plan(context.graph, groups, context.all_states, workers_of={"h": 2}, key_of=keys)
    (answer,) = one_batch(context, plan, "twice", [module.A(0)])
    assert (answer.node, answer.cause_type) == ("moved", "ValueError")


ENDING_ITSELF = """
@state(key=None)
class S: ...
@node
class f:
    def __init__(self{state}) -> None: ...
    async def __call__(self, a: A) -> D:
        if a.n == 1:
            {does}
        await asyncio.sleep(0)
        return D(str(a.n))
"""


CANCELS = "asyncio.current_task().cancel()"


@pytest.mark.parametrize("state", ["", ", s: S"])
@pytest.mark.parametrize("policy", ["fail", "skip"])
@pytest.mark.parametrize(
    ("does", "cause"),
    [
        (f"{CANCELS}; return D('too late')", "CancelledError"),
        (CANCELS, "CancelledError"),
        (f"{CANCELS}; raise ValueError('secret')", "ValueError"),
        ("raise asyncio.CancelledError", "CancelledError"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_a_coroutine_that_ends_its_task_ends_its_request_and_no_other(
    declare: Callable[..., ModuleType], state: str, policy: Any, does: str, cause: str
) -> None:
    module = declare(ENDING_ITSELF.format(state=state, does=does))
    context = ApplicationContext(spec(module, failure=FailureSpec(NodeFailure(policy))))
    plan = placed(context, {"f": "g"})
    answers = one_batch(context, plan, "f", [module.A(n) for n in range(4)])
    replies = {a.request: a.payload.text for a in answers if a.replied}
    assert replies == {"r0": "0", "r2": "2", "r3": "3"}
    assert {(a.request, a.cause_type) for a in answers if a.cause_type} == {("r1", cause)}


@pytest.mark.parametrize("state", ["", ", s: S"])
def test_an_interrupt_of_the_process_is_no_matter_of_a_request(
    declare: Callable[..., ModuleType], state: str
) -> None:
    module = declare(ENDING_ITSELF.format(state=state, does="raise KeyboardInterrupt"))
    context = ApplicationContext(spec(module))
    with pytest.raises(KeyboardInterrupt):
        one_batch(context, placed(context, {"f": "g"}), "f", [module.A(0), module.A(1)])


def test_of_several_records_that_a_request_has_lost_the_first_is_told(
    declare: Callable[..., ModuleType],
) -> None:
    module = declare(
        """
@node
def two(a: A) -> list[B]:
    return [B(0), B(1)]
@node
def lost(b: B) -> D:
    raise (KeyError, ValueError)[b.n]
"""
    )
    context = ApplicationContext(spec(module, failure=FailureSpec(NodeFailure("skip"))))
    plan = placed(context, {"two": "g", "lost": "g"})
    answers = one_batch(context, plan, "two", [module.A(0)])
    assert [a.cause_type for a in answers if a.is_policy_drop] == ["KeyError"]


IN_TURN = """
@node
def several(a: A) -> list[B]:
    return [B(n) for n in range(3)]
@node
class Calling:
    async def __call__(self, b: B) -> C: raise ValueError(b.n)
    def finish(self) -> None: ...
@node
def last(c: C) -> D: return D(str(c.n))
"""


def test_a_coroutine_that_is_not_begun_since_its_request_has_failed_has_no_span(
    declare: Callable[..., ModuleType],
) -> None:
    module = declare(IN_TURN)
    context, seen = ApplicationContext(spec(module)), Collected()
    plan = placed(context, dict.fromkeys(("several", "calling", "last"), "h"))
    entrances, segment = Entrances(context.graph, "r"), plan.segment_of("several")
    ids = TraceIds("r")
    tracer = Tracer(plan, ids, [seen])
    with asyncio.Runner() as loop:
        runner = SegmentRunner(
            context,
            plan,
            segment,
            context.container(),
            Identity("r", "s", "h", ids),
            tracer=tracer,
            loop=loop,
        )
        edge = entrances.entry("several", module.A)
        visit = Visit("r1", WHOLE, edge, entrances.root(1, 0, 1), module.A(1), sampled=True)
        RequestRunner(plan, segment, runner).run([visit])
        tracer.flush()
    found = [(span.name, span.error) for span in seen.of("internal")]
    assert found == [("several", None), ("calling", "ValueError")]


def test_of_several_failures_of_a_request_the_one_of_the_first_record_is_kept() -> None:
    batch = RequestBatch(1, 1, 2)
    errors = {
        key: NodeFailedError("n", "ValueError").about(key) for key in ((1, 2), (1, 0), (1, 1))
    }
    for error in errors.values():
        batch.blame(error)
    assert batch.failed == {1: errors[1, 0]}


@pytest.mark.parametrize(
    ("keys", "independent"),
    [([1, 2], True), ([(1, 0), (2, 0)], True), ([(1, 0), (1, 1)], False)],
)
def test_records_of_one_request_do_not_fail_independently(
    keys: list[Any], independent: bool
) -> None:
    assert RequestBatch(1, 1, 2).failures_are_independent(keys) is independent
