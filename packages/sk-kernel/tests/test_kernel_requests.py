"""Requests through segments: what they come to, and that nothing of one is lost on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sk_kernel import (
    SINK,
    SOURCE,
    WHOLE,
    AdapterSettings,
    Answer,
    ApplicationContext,
    ApplicationSpec,
    Batch,
    Correlation,
    ExecutionPlan,
    FailureSpec,
    Identity,
    KeyOwners,
    MemoryRun,
    NodeFailure,
    Outcomes,
    PreflightError,
    RequestCodec,
    RequestRunner,
    SegmentRunner,
    Tally,
    TraceIds,
    UnknownRouteError,
    Visit,
    WireError,
    WirePart,
    frames_of,
    make_plan,
    shares,
)
from sk_kernel._asking import before_requests
from sk_kernel._envelope import root_of

BRANCHING = """
@node
def several(a: A) -> list[B]:
    return [B(a.n + i) for i in range(a.n % 4)]
@node
def few(a: A) -> C | None:
    return C(a.n) if a.n % 2 else None
@node
def up(b: B) -> C:
    return C(b.n * 10)
@node
def aside(b: B) -> D:
    return D(str(b.n))
@node
def ending(c: C) -> D | None:
    return D(f"c{c.n}") if c.n % 3 else None
"""
NODES = ("several", "few", "up", "aside", "ending")
SERVED = {"source": AdapterSettings("requests", {}), "sink": AdapterSettings("replies", {})}


def spec(module: ModuleType, **changes: Any) -> ApplicationSpec:
    return ApplicationSpec(
        **{"scenario": "s", "discovery_modules": [module.__name__], **SERVED, **changes}
    )


def placed(context: ApplicationContext, group_of: Mapping[str, str]) -> ExecutionPlan:
    return make_plan(context.graph, {SOURCE: "g", SINK: "g", **group_of}, context.all_states)


def asked(
    context: ApplicationContext, plan: ExecutionPlan, target: str, payload: object
) -> list[Answer]:
    """What a request ends in, hop by hop over the wire, whatever is on the way."""
    codec = RequestCodec(context.graph, "r")
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
    edge, key = codec.entry(target, type(payload)), codec.root(7, 0, 1)
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


def sent_answers(codec: RequestCodec, answers: list[Answer], limit: int = 1 << 20) -> list[Answer]:
    """The answers as the other end has them."""
    frames = frames_of(codec.answer_parts(answers, limit), limit)
    return [answer for frame in frames for answer in codec.answers(frame)]


def together(several: Iterable[bytes]) -> bytes:
    """Visits of one frame, encoded one by one."""
    (frame,) = frames_of([WirePart(1, each) for each in several], 1 << 20)
    return frame


@pytest.mark.contract("HANDOFF-C-01")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    n=st.integers(0, 12),
    groups=st.tuples(*[st.sampled_from(["g", "h", "i", "j"]) for _ in NODES]),
)
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
@given(
    n=st.integers(0, 12),
    groups=st.tuples(*[st.sampled_from(["g", "h", "i", "j"]) for _ in NODES]),
)
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


FAILING = """
@node
def first(a: A) -> B:
    return B(a.n)
@node
def second(b: B) -> C:
    raise ValueError("secret")
"""


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


# ---- a graph that serves -------------------------------------------------------------------------


def test_nodes_that_nothing_leads_to_are_entrances(declare: Callable[..., ModuleType]) -> None:
    module = declare(BRANCHING)
    context = ApplicationContext(spec(module))
    assert [t.cls for t in context.graph.consumed(SINK)] == [module.D]
    plan = placed(context, dict.fromkeys(NODES, "h"))
    entrances = plan.segment_of("several")
    assert plan.segment_of(SOURCE).downstream == (entrances.index,)  # for its watermarks


def test_without_that_source_they_are_refused_as_ever(declare: Callable[..., ModuleType]) -> None:
    module = declare(BRANCHING + "@source()\ndef numbers() -> Iterator[C]:\n    yield C(1)\n")
    with pytest.raises(PreflightError, match="several: unreached"):
        ApplicationContext(spec(module, source=AdapterSettings("numbers", {})))


def test_what_no_node_takes_is_dropped_and_counted_where_nobody_asked(
    declare: Callable[..., ModuleType],
) -> None:
    module = declare(
        FAILING.replace('raise ValueError("secret")', "return C(b.n)")
        + """
@source()
def numbers() -> Iterator[A]:
    yield from (A(1), A(2))
"""
    )
    context = ApplicationContext(spec(module, source=AdapterSettings("numbers", {})))
    report = MemoryRun(context, "r").run()
    assert report.counters == {"dropped": 2}


# ---- the wire ------------------------------------------------------------------------------------


@pytest.fixture
def codec(declare: Callable[..., ModuleType]) -> RequestCodec:
    return RequestCodec(ApplicationContext(spec(declare(BRANCHING))).graph, "r")


@given(data=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_of_any_kind_are_visits_and_answers_or_a_wire_error(
    codec: RequestCodec, data: bytes
) -> None:
    for decode in (codec.visits, codec.answers):
        try:
            decode(data)
        except WireError as error:
            assert error.problem  # noqa: PT017 - both outcomes are right


def test_a_class_that_is_not_declared_does_not_go_to_a_process(codec: RequestCodec) -> None:
    with pytest.raises(UnknownRouteError, match="send what it declares"):
        codec.entry("several", bool)


@pytest.mark.parametrize("headers", [{"tenant": 7}, {"tenant": None}])
def test_one_visit_that_is_not_as_declared_fails_and_leaves_the_others_alone(
    codec: RequestCodec, headers: dict[str, Any]
) -> None:
    edge = next(iter(codec._edges.values()))
    wrong = edge.payload.cls("no number")
    right = Visit("r1", 3, edge, codec.root(1, 0, 1), edge.payload.cls(1))
    sent = [
        right,
        right._replace(request="r2", payload=wrong),
        right._replace(request="r3", correlation=Correlation("t", None, headers)),
    ]
    found = codec.visits(together([codec.visit(visit) for visit in sent]))
    assert found[0] == right
    assert [(a.request, a.weight, a.cause_type) for a in found[1:]] == [
        ("r2", 3, "WireError"),
        ("r3", 3, "WireError"),
    ]


def test_a_visit_with_a_text_that_is_no_text_fails_and_leaves_the_others_alone(
    codec: RequestCodec,
) -> None:
    edge = next(iter(codec._edges.values()))
    right = Visit("r1", 3, edge, codec.root(1, 0, 1), edge.payload.cls(1))
    other = codec.visit(right._replace(request="r2", correlation=Correlation("trace")))
    broken = other.replace(b"trace", b"\xff\xfe\xfd\xfc!")
    found = codec.visits(together([codec.visit(right), broken]))
    assert found[0] == right
    assert [(a.request, a.cause_type) for a in found[1:]] == [("r2", "WireError")]


def test_a_reply_that_is_not_as_declared_is_a_failure(codec: RequestCodec) -> None:
    cls = next(iter(codec._edges.values())).payload.cls
    right = Answer("r1", 1, True, cls(1), "giver")
    wrong = right._replace(request="r2", payload=cls("no number"))
    failure = Answer("r2", 1, node="giver", cause_type="WireError")
    assert sent_answers(codec, [right, wrong]) == [right, failure]


def test_a_reply_that_cannot_be_sent_is_a_failure_of_its_node_in_its_place(
    codec: RequestCodec,
) -> None:
    cls = next(iter(codec._edges.values())).payload.cls
    right = Answer("r", 1, True, cls(1), "giver")
    shapeless, large = right._replace(payload=cls(object())), right._replace(payload=cls("x" * 99))
    unknown = right._replace(payload=object())
    failure = Answer("r", 1, node="giver", cause_type="WireError")
    found = sent_answers(codec, [right, shapeless, right, large, unknown, right], 90)
    too_large = failure._replace(cause_type="RecordTooLargeError")
    assert found == [right, failure, right, too_large, failure, right]


def test_what_was_given_up_is_the_outcome_where_nothing_else_comes() -> None:
    lost = Answer("r", 0, node="n", cause_type="KeyError", given_up=True)
    tally = Tally()
    assert tally.take(lost) is None
    assert tally.take(Answer("r", WHOLE - 1)) is None
    assert tally.take(Answer("r", 1)) is lost
    other = Tally()
    assert other.take(lost) is None
    reply = Answer("r", WHOLE, True, "a reply")
    assert other.take(reply) is reply


@given(number=st.integers(1, 1 << 40), targets=st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_two_records_of_requests_have_one_key(
    codec: RequestCodec, number: int, targets: int
) -> None:
    keys = [codec.root(n, i, targets) for n in (number, number + 1) for i in range(targets)]
    assert len(set(keys)) == 2 * targets
    assert all(root_of(key) < 0 for key in keys)


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
    codec, runners = RequestCodec(context.graph, "r"), {}
    for s in plan.segments:
        own = Identity("r", "s", s.group, TraceIds("r"))
        runners[s.index] = SegmentRunner(
            context, plan, s, context.container(), own, write=lambda _: None
        )

    def outcome(target: str, payload: object) -> Outcomes:
        visit = Visit("r1", WHOLE, codec.entry(target, type(payload)), (-1,), payload)
        segment = plan.segment_of(target)
        return RequestRunner(plan, segment, runners[segment.index]).run([visit])

    (reply,) = outcome("second", module.B(1)).answers
    assert reply == Answer("r1", WHOLE, replied=True, payload=module.D("1"), node="second")
    for runner in runners.values():
        runner.run(Batch(1, 1, 0, final=True), [])
    (closed,) = outcome("second", module.B(1)).answers
    assert closed == Answer("r1", WHOLE, node="second", cause_type="RequestsClosedError")
    assert outcome("first", module.A(1)).onward  # which has no finish()


# ---- frames --------------------------------------------------------------------------------------


@given(
    sizes=st.lists(st.integers(0, 120), min_size=1, max_size=20),
    limit=st.integers(60, 400),
    cut=st.integers(0, 20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_fits_a_frame_is_sent_in_order_and_all_else_is_refused_each_by_itself(
    codec: RequestCodec, sizes: list[int], limit: int, cut: int
) -> None:
    edge = next(iter(codec._edges.values()))
    visits = [
        Visit(f"r{n}", n, edge, codec.root(n, 0, 1), edge.payload.cls(n), Correlation("x" * size))
        for n, size in enumerate(sizes)
    ]
    parts, unsent = codec.visit_parts(visits[:cut], limit)
    more_parts, more_unsent = codec.visit_parts(visits[cut:], limit)
    frames = list(frames_of([*parts, *more_parts], limit))
    refused = [visits[int(failure.request[1:])] for failure in [*unsent, *more_unsent]]
    sent = [visit for frame in frames for visit in codec.visits(frame)]
    assert all(len(frame) <= limit for frame in frames)
    assert sent == [visit for visit in visits if visit not in refused]
    assert refused == [visit for visit in visits if len(codec.visit(visit)) + 1 > limit]


def test_a_payload_that_has_no_form_is_refused_and_the_others_are_sent(codec: RequestCodec) -> None:
    edge = next(iter(codec._edges.values()))
    payloads = [edge.payload.cls(n) for n in (1, 2, object(), 4, 1 << 80)]
    visits = [Visit(f"r{n}", 1, edge, -n, payload) for n, payload in enumerate(payloads)]
    parts, unsent = codec.visit_parts(visits, 1 << 20)
    frames = frames_of(parts, 1 << 20)
    assert [v.request for frame in frames for v in codec.visits(frame)] == ["r0", "r1", "r3"]
    failure = Answer("r2", 1, node=edge.producer, cause_type="WireError")
    assert unsent == [failure, failure._replace(request="r4")]


class Counting(tzinfo):
    """Is asked for the offset whenever a time in it is encoded."""

    def __init__(self) -> None:
        self.asked = 0

    def utcoffset(self, dt: datetime | None) -> timedelta:
        self.asked += 1
        return timedelta(hours=1)


def test_however_much_does_not_fit_each_reply_is_encoded_twice_at_most(
    codec: RequestCodec,
) -> None:
    cls, zone = next(iter(codec._edges.values())).payload.cls, Counting()
    large = Answer("r", 1, True, cls((datetime(2000, 1, 1, tzinfo=zone), "x" * 700)), "giver")
    codec.answer_parts([large], 1000)
    once, zone.asked = zone.asked, 0
    frames = list(frames_of(codec.answer_parts([large] * 32, 1000), 1000))
    assert (len(frames), once > 0) == (32, True)
    assert zone.asked <= 2 * 32 * once


@pytest.mark.parametrize("count", [1, 15, 16, (1 << 16) - 1, 1 << 16])
def test_parts_of_any_number_of_elements_are_an_array_of_all(count: int) -> None:
    several = [WirePart(count, b"\x07" * count), WirePart(1, b"\x08")]
    (frame,) = frames_of(several, count + 6)
    assert msgspec.msgpack.decode(frame) == [7] * count + [8]


def test_one_payload_for_several_nodes_and_others_for_one_run_together(
    declare: Callable[..., ModuleType],
) -> None:
    text = "@node\ndef one(a: A) -> B:\n    return B(a.n)\n"
    module = declare(text + text.replace("one", "other"))
    context = ApplicationContext(spec(module))
    plan = placed(context, dict.fromkeys(("one", "other"), "h"))
    codec, segment = RequestCodec(context.graph, "r"), plan.segment_of("one")
    runner = SegmentRunner(
        context, plan, segment, context.container(), Identity("r", "s", "h", TraceIds("r"))
    )

    def visit(number: int, target: str, position: int, targets: int) -> Visit:
        edge = codec.entry(target, module.A)
        key = codec.root(number, position, targets)
        return Visit(f"r{number}", WHOLE // targets, edge, key, module.A(number))

    asked = [visit(2, "one", 0, 1), visit(1, "one", 0, 2), visit(1, "other", 1, 2)]
    answers = RequestRunner(plan, segment, runner).run(asked).answers
    weights = Counter(a.request for a in answers if a.payload == module.B(int(a.request[1:])))
    assert weights == {"r1": 2, "r2": 1}
    assert sum(a.weight for a in answers) == 2 * WHOLE


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
    codec, segment = RequestCodec(context.graph, "r"), plan.segment_of("several")
    runner = SegmentRunner(
        context, plan, segment, context.container(), Identity("r", "s", "h", TraceIds("r"))
    )
    edge = codec.entry("several", module.A)
    asked = [
        Visit(f"r{number}", WHOLE, edge, codec.root(number, 0, 1), module.A(10 * number))
        for number in (2, 1, 3)
    ]
    answers = RequestRunner(plan, segment, runner).run(asked).answers
    others = [20, 21, 22, 30, 31, 32]
    assert [n for node, n in module.seen if node == "picky"] == [10, 11, *others]
    assert [n for node, n in module.seen if node == "behind"] == others
    failed = Answer("r1", WHOLE, node="picky", cause_type="ValueError")
    assert [answer for answer in answers if not answer.replied] == [failed]
    assert [answer.payload.text for answer in answers if answer.replied] == list(map(str, others))


MOVED = """
@state(key="n")
class Seen:
    pass
@node
def moved(a: A) -> B:
    return B(a.n // 100)
@node
def kept(b: B, seen: Seen) -> D:
    return D(str(b.n))
"""


def test_a_record_whose_key_a_node_has_moved_is_the_failure_of_its_request_alone(
    declare: Callable[..., ModuleType],
) -> None:
    module = declare(MOVED)
    context = ApplicationContext(spec(module))
    groups = {SOURCE: "g", SINK: "g", "moved": "h", "kept": "h"}
    keys = {module.Seen: "n"}
    plan = make_plan(context.graph, groups, context.all_states, workers_of={"h": 2}, key_of=keys)
    codec, segment = RequestCodec(context.graph, "r"), plan.segment_of("moved")
    runner = SegmentRunner(
        context, plan, segment, context.container(), Identity("r", "s", "h", TraceIds("r"))
    )
    edge, owners = codec.entry("moved", module.A), KeyOwners("n", 2)
    asked = [
        Visit(f"r{n}", WHOLE, edge, codec.root(n, 0, 1), module.A(100 * n)) for n in range(1, 20)
    ]
    answers = RequestRunner(plan, segment, runner).run(asked).answers
    own = [n for n in range(1, 20) if owners.of([module.B(n)]) == [0]]
    assert 0 < len(own) < 19
    assert [a.payload.text for a in answers if a.replied] == list(map(str, own))
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


def one_batch(
    context: ApplicationContext, plan: ExecutionPlan, target: str, payloads: list[Any]
) -> list[Answer]:
    """What the requests ``r0``, ``r1`` and so on come to that reach their node together."""
    codec, segment = RequestCodec(context.graph, "r"), plan.segment_of(target)
    own = Identity("r", "s", segment.group, TraceIds("r"))
    with asyncio.Runner() as loop:
        runner = SegmentRunner(
            context, plan, segment, context.container(), own, loop=loop, write=lambda _: None
        )
        asked = [
            Visit(f"r{n}", WHOLE, codec.entry(target, type(x)), codec.root(n, 0, 1), x)
            for n, x in enumerate(payloads)
        ]
        return RequestRunner(plan, segment, runner).run(asked).answers


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
    assert [a.cause_type for a in answers if a.given_up] == ["KeyError"]


@given(runs=st.lists(st.text(max_size=8), min_size=2, max_size=4, unique=True))
def test_of_several_runs_requests_of_one_number_have_other_keys_each(runs: list[str]) -> None:
    begins = [before_requests(run) for run in runs]
    assert len(set(begins)) == len(runs)
    assert all(-(1 << 53) <= begin < -(1 << 52) for begin in begins)
    assert begins == [before_requests(run) for run in runs]
