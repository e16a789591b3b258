"""Requests through segments: what they come to, and that nothing of one is lost on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel_requests import BRANCHING, FAILING, NODES, placed, sent_answers, spec, together
from sk_kernel import FailureSpec, NodeFailure, RequestSpreadTooFarError, RunError
from sk_kernel.runtime import (
    SOURCE,
    WHOLE,
    Answer,
    ApplicationContext,
    Batch,
    Correlation,
    Entrances,
    ExecutionPlan,
    Identity,
    Outcomes,
    RequestCodec,
    RequestRunner,
    SegmentRunner,
    Tally,
    TraceIds,
    Visit,
    shares,
)

#: A record's number, and a group for each node.
RECORDS_AND_GROUPS = given(
    n=st.integers(0, 12),
    groups=st.tuples(*[st.sampled_from(["g", "h", "i", "j"]) for _ in NODES]),
)


def asked(
    context: ApplicationContext, plan: ExecutionPlan, target: str, payload: object
) -> list[Answer]:
    """What a request ends in, hop by hop over the wire, whatever is on the way."""
    codec, entrances = RequestCodec(context.graph), Entrances(context.graph, "r")
    ids = TraceIds("r")
    runners = {
        s.index: RequestRunner(
            plan,
            s,
            SegmentRunner(
                context,
                plan,
                s,
                context.container(),
                Identity("r", "s", s.group, ids),
                write=lambda _: pytest.fail("a request was written"),
            ),
        )
        for s in plan.segments
    }
    edge, key = entrances.entry(target, type(payload)), entrances.root(7, 0, 1)
    known = Correlation("caller", "caller", {}, SOURCE)
    waiting = [(plan.segment_of(target).index, Visit("r1", WHOLE, edge, key, payload, known))]
    answers: list[Answer] = []
    while waiting:
        segment, visit = waiting.pop(0)
        (sent,) = codec.visits(together([codec.visit(visit)]))
        assert isinstance(sent, Visit)
        ended, onward = runners[segment].run([sent])
        answers += [again for each in ended for again in sent_answers(codec, [each])]
        waiting += [(index, each) for index, several in onward.items() for each in several]
    return answers


@pytest.mark.contract("HANDOFF-C-01")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@RECORDS_AND_GROUPS
def test_a_request_has_as_replies_what_a_run_of_its_record_gives_the_sink(
    declare: Callable[..., ModuleType], n: int, groups: tuple[str, ...]
) -> None:
    module = declare(BRANCHING)
    context = ApplicationContext(spec(module))
    plan = placed(context, dict(zip(NODES, groups, strict=True)))
    answers = [a for entry in ("several", "few") for a in asked(context, plan, entry, module.A(n))]
    assert Counter(a.payload.text for a in answers if a.replied) == Counter(expected(n))


def expected(n: int) -> list[str]:
    """By plain recursion."""
    some = [n + i for i in range(n % 4)]
    thirds = [*(b * 10 for b in some), *([n] if n % 2 else [])]
    return [*map(str, some), *(f"c{c}" for c in thirds if c % 3)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@RECORDS_AND_GROUPS
def test_whatever_becomes_of_a_request_all_of_its_weight_comes_back(
    declare: Callable[..., ModuleType], n: int, groups: tuple[str, ...]
) -> None:
    module = declare(BRANCHING)
    context = ApplicationContext(spec(module))
    plan = placed(context, dict(zip(NODES, groups, strict=True)))
    assert sum(a.weight for a in asked(context, plan, "several", module.A(n))) == WHOLE


@given(weight=st.integers(0, WHOLE), parts=st.integers(1, 1000))
def test_shares_make_up_the_whole(weight: int, parts: int) -> None:
    several = list(shares(weight, parts))
    assert len(several) == parts
    assert sum(several) == weight
    assert max(several) - min(several) <= weight % parts or parts == 1


SPREADING = """
@node
def several(a: A) -> list[B]:
    return [B(n) for n in range(a.n)]
@node
def last(b: B) -> D:
    return D(str(b.n))
"""


IN_ONE, IN_TWO = {"several": "g", "last": "g"}, {"several": "g", "last": "h"}


def spread(
    module: ModuleType, groups: dict[str, str], weight: int
) -> tuple[Outcomes, list[RunError]]:
    """What becomes of a request of so much weight, of which three parts leave; what failed."""
    context = ApplicationContext(spec(module))
    plan = placed(context, groups)
    segment = plan.segment_of("several")
    own = Identity("r", "s", segment.group, TraceIds("r"))
    runner = SegmentRunner(context, plan, segment, context.container(), own, write=lambda _: None)
    requests, failed = RequestRunner(plan, segment, runner), list[RunError]()
    requests.on_failed = failed.append
    edge = Entrances(context.graph, "r").entry("several", module.A)
    outcome = requests.run([Visit("r1", weight, edge, (-1,), module.A(3))])
    return outcome, failed


@pytest.mark.parametrize("groups", [IN_ONE, IN_TWO], ids=["as replies", "onward"])
def test_of_a_request_with_as_much_weight_as_parts_each_has_some(
    declare: Callable[..., ModuleType], groups: dict[str, str]
) -> None:
    (answers, onward), failed = spread(declare(SPREADING), groups, 3)
    visits = [visit for several in onward.values() for visit in several]
    assert [each.weight for each in (*answers, *visits)] == [1, 1, 1]
    assert not failed


@pytest.mark.parametrize(
    ("groups", "node"), [(IN_ONE, "last"), (IN_TWO, "several")], ids=["as replies", "onward"]
)
def test_a_request_with_more_parts_than_weight_fails_and_none_of_them_goes_on(
    declare: Callable[..., ModuleType], groups: dict[str, str], node: str
) -> None:
    outcome, failed = spread(declare(SPREADING), groups, 2)
    failure = Answer("r1", 2, node=node, cause_type="RequestSpreadTooFarError")
    assert outcome == ([failure], {})
    assert [type(error) for error in failed] == [RequestSpreadTooFarError]


@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_what_a_node_raises_is_an_answer_with_its_type(
    declare: Callable[..., ModuleType], policy: Any
) -> None:
    module = declare(FAILING)
    failure = FailureSpec(nodes={"second": NodeFailure(policy)})
    context = ApplicationContext(spec(module, failure=failure))
    plan = placed(context, {"first": "g", "second": "h"})
    answer = asked(context, plan, "first", module.A(1))[0]
    assert (answer.replied, answer.node, answer.cause_type) == (False, "second", "ValueError")


def test_what_was_given_up_is_the_outcome_where_nothing_else_comes() -> None:
    lost = Answer("r", 0, node="n", cause_type="KeyError", is_policy_drop=True)
    tally = Tally()
    assert tally.take(lost) is None
    assert tally.take(Answer("r", WHOLE - 1)) is None
    assert tally.take(Answer("r", 1)) is lost
    other = Tally()
    assert other.take(lost) is None
    reply = Answer("r", WHOLE, True, "a reply")
    assert other.take(reply) is reply


ENDING = """
@node
def first(a: A) -> B:
    return B(a.n)
@node
class Second:
    def __call__(self, b: B) -> D:
        return D(str(b.n))
    def finish(self) -> D:
        return D("over")
"""


def test_behind_its_finish_no_request_comes_to_a_node(declare: Callable[..., ModuleType]) -> None:
    module = declare(ENDING)
    context = ApplicationContext(spec(module))
    plan = placed(context, {"first": "g", "second": "h"})
    entrances, runners = Entrances(context.graph, "r"), {}
    for s in plan.segments:
        own = Identity("r", "s", s.group, TraceIds("r"))
        runners[s.index] = SegmentRunner(
            context, plan, s, context.container(), own, write=lambda _: None
        )

    def outcome(target: str, payload: object) -> Outcomes:
        visit = Visit("r1", WHOLE, entrances.entry(target, type(payload)), (-1,), payload)
        segment = plan.segment_of(target)
        return RequestRunner(plan, segment, runners[segment.index]).run([visit])

    (reply,) = outcome("second", module.B(1)).answers
    assert reply == Answer("r1", WHOLE, replied=True, payload=module.D("1"), node="second")
    for runner in runners.values():
        runner.run(Batch(1, 1, 0, final=True), [])
    (closed,) = outcome("second", module.B(1)).answers
    assert closed == Answer("r1", WHOLE, node="second", cause_type="RequestsClosedError")
    assert outcome("first", module.A(1)).onward  # which has no finish()


def test_one_payload_for_several_nodes_and_others_for_one_run_together(
    declare: Callable[..., ModuleType],
) -> None:
    text = "@node\ndef one(a: A) -> B:\n    return B(a.n)\n"
    module = declare(text + text.replace("one", "other"))
    context = ApplicationContext(spec(module))
    plan = placed(context, dict.fromkeys(("one", "other"), "h"))
    entrances, segment = Entrances(context.graph, "r"), plan.segment_of("one")
    runner = SegmentRunner(
        context, plan, segment, context.container(), Identity("r", "s", "h", TraceIds("r"))
    )

    def visit(number: int, target: str, position: int, targets: int) -> Visit:
        edge = entrances.entry(target, module.A)
        key = entrances.root(number, position, targets)
        return Visit(f"r{number}", WHOLE // targets, edge, key, module.A(number))

    asked = [visit(2, "one", 0, 1), visit(1, "one", 0, 2), visit(1, "other", 1, 2)]
    answers = RequestRunner(plan, segment, runner).run(asked).answers
    weights = Counter(a.request for a in answers if a.payload == module.B(int(a.request[1:])))
    assert weights == {"r1": 2, "r2": 1}
    assert sum(a.weight for a in answers) == 2 * WHOLE
