"""A record that fails and is not sampled: one span, at the node where it failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kernel_spans import Collected
from sk_kernel import (
    AdapterSettings,
    ApplicationSpec,
    FailureSpec,
    NodeFailure,
    NodeOutputError,
    NodeSpan,
    RunError,
)
from sk_kernel.runtime import SOURCE, Key, TraceIds, span_id
from sk_kernel.testing import run_application, run_placed

PLAIN = """
@node
def first(a: A) -> B: return B(a.n)
@node
def fails(b: B) -> C:
    if b.n == 5: raise ValueError("secret")
    return C(b.n)
@node
def last(c: C) -> D: return D(str(c.n))
"""
COROUTINE = PLAIN.replace("def fails(b: B)", "async def fails(b: B)")
CONTEXT = PLAIN.replace("def fails(b: B)", "def fails(b: B, ctx: Context)")
COMPILED = """
@state(key=None)
class Log: ...
@node
class First:
    def __init__(self, log: Log): ...
    def __call__(self, a: A) -> B: return B(a.n)
@node(name="fails")
class Fails:
    def __init__(self, log: Log): ...
    def __call__(self, b: B) -> C:
        if b.n == 5: raise ValueError("secret")
        return C(b.n)
@node
def last(c: C) -> D: return D(str(c.n))
"""
MANY = PLAIN.replace("-> B: return B(a.n)", "-> list[B]: return [B(-1), B(a.n)]")
#: Each with the key that the record which fails has there.
NODES: dict[str, tuple[str, Key]] = {
    "plain": (PLAIN, 5),
    "coroutine": (COROUTINE, 5),
    "context": (CONTEXT, 5),
    "compiled": (COMPILED, 5),
    "many": (MANY, (5, 1)),
}


Ran = Callable[..., list[NodeSpan]]


@pytest.fixture
def ran(declare: Any, tmp_path: Path) -> Ran:
    """Runs the records 1 to 9 and gives the spans; ``apart`` puts ``fails`` into the group x."""

    def run(
        text: str,
        *,
        policy: Any = "fail",
        ratio: float = 0.0,
        attempts: int = 1,
        apart: bool = True,
    ) -> list[NodeSpan]:
        module, seen = declare(text), Collected()
        own = NodeFailure(policy, attempts if policy != "fail" else 1)
        failure = FailureSpec(nodes={"fails": own}, dead_letters=str(tmp_path / "dead"))
        spec = ApplicationSpec(
            scenario="test", discovery_modules=[module.__name__], failure=failure
        )
        given = [module.A(n) for n in range(1, 10)]
        watched: dict[str, Any] = {"observers": [seen], "sampling_ratio": ratio}
        placement = {"fails": "x"} | ({"first": "x"} if "Log" in text else {})
        try:
            if apart:
                run_placed(spec, given, placement, **watched)
            else:
                run_application(spec, given, **watched)
        except RunError:
            assert policy == "fail"
        return seen.spans

    return run


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("policy", ["fail", "dead_letter", "skip"])
@pytest.mark.parametrize("kind", NODES)
def test_a_record_that_fails_unsampled_has_one_span_where_it_failed(
    ran: Ran, kind: str, policy: str, *, apart: bool
) -> None:
    text, key = NODES[kind]
    (span,) = ran(text, policy=policy, apart=apart)
    trace = TraceIds("test").of(5)
    assert (span.trace_id, span.span_id) == (trace, span_id(trace, "fails", key))
    assert (span.name, span.sequence, span.error) == ("fails", 5, "ValueError")
    assert (span.parent_id, span.links, span.kind) == (None, (), "internal")
    assert 0 < span.start_ns == span.end_ns
    if apart:
        behind = "main" if kind != "compiled" else None
        assert (span.process_group, span.handoff_from, span.route_hop) == ("x", behind, 1)


@pytest.mark.parametrize("policy", ["fail", "dead_letter", "skip"])
@pytest.mark.parametrize("kind", NODES)
def test_a_sampled_one_has_the_span_of_its_own_trace_and_no_second(
    ran: Ran, kind: str, policy: str
) -> None:
    spans = ran(NODES[kind][0], policy=policy, ratio=1.0)
    (failed,) = [span for span in spans if span.error]
    assert (failed.name, failed.sequence, failed.error) == ("fails", 5, "ValueError")
    assert failed.parent_id is not None
    assert len({(s.trace_id, s.span_id) for s in spans}) == len(spans)
    (alone,) = ran(NODES[kind][0], policy=policy)
    assert (alone.trace_id, alone.span_id) == (failed.trace_id, failed.span_id)


@pytest.mark.parametrize("kind", ["plain", "coroutine", "context"])
def test_only_the_last_attempt_has_a_span(ran: Ran, kind: str) -> None:
    (span,) = ran(NODES[kind][0], policy="skip", attempts=3)
    assert span.error == "ValueError"


WRONG = {
    "undeclared": ("NodeOutputError", PLAIN.replace('raise ValueError("secret")', "return 'x'")),
    "compiled": ("NodeOutputError", COMPILED.replace('raise ValueError("secret")', "return B(1)")),
    "target": (
        "UnknownTargetError",
        PLAIN.replace(
            'raise ValueError("secret")', "return Envelope(C(1), target='nobody')"
        ).replace("-> C:", "-> C | Envelope[C]:"),
    ),
}


@pytest.mark.parametrize("ratio", [0.0, 1.0])
@pytest.mark.parametrize("case", WRONG)
def test_what_a_node_returns_wrongly_is_its_record_s_failure(
    ran: Ran, case: str, ratio: float
) -> None:
    cause, text = WRONG[case]
    spans = ran(text, ratio=ratio)
    (failed,) = [span for span in spans if span.error]
    assert (failed.name, failed.sequence, failed.error) == ("fails", 5, cause)
    assert len({(s.trace_id, s.span_id) for s in spans}) == len(spans)
    assert len(spans) == 1 or ratio


def test_what_a_source_gives_wrongly_is_its_record_s_failure_too(declare: Any) -> None:
    numbers = "\n@source(name='numbers')\ndef numbers() -> Iterator[A]: yield from ()"
    module = declare(PLAIN + numbers)
    spec = ApplicationSpec(
        scenario="test",
        discovery_modules=[module.__name__],
        source=AdapterSettings("numbers"),
    )
    given, seen = [module.A(1), module.B(2)], Collected()
    with pytest.raises(NodeOutputError):
        run_application(spec, given, observers=[seen], sampling_ratio=0.0)
    assert [(s.name, s.sequence, s.error) for s in seen.spans] == [(SOURCE, 2, "NodeOutputError")]


def test_an_end_of_input_that_fails_is_no_record_s(ran: Ran) -> None:
    text = """
    @node(name="fails")
    class Fails:
        def __call__(self, a: A) -> D | None: ...
        def finish(self) -> D: raise ValueError
    """
    assert ran(text) == []


def test_a_run_in_which_nothing_fails_has_no_span_of_a_record_that_is_not_sampled(ran: Ran) -> None:
    assert ran(PLAIN.replace("b.n == 5", "False")) == []


@pytest.mark.parametrize("kind", ["plain", "coroutine", "context", "compiled"])
def test_a_node_that_exits_has_its_span_and_those_of_the_records_before_it(
    declare: Any, kind: str
) -> None:
    text = NODES[kind][0].replace('raise ValueError("secret")', "raise SystemExit")
    module, seen = declare(text), Collected()
    spec = ApplicationSpec(scenario="test", discovery_modules=[module.__name__])
    with pytest.raises(SystemExit):
        run_application(spec, [module.A(n) for n in range(1, 10)], observers=[seen])
    own = {span.sequence: span.error for span in seen.spans if span.name == "fails"}
    assert own[5] == "SystemExit"
    assert all(own.get(n, "missing") is None for n in range(1, 5))
