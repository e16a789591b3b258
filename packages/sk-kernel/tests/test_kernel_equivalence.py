"""The kernel's law: whatever the batches and whatever the placement, the result is the oracle's.

The oracle takes each record depth first through the whole graph before the next one enters. It is
written here, on plain recursion, and shares only the nodes' own behaviour with what it judges.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any
from zlib import crc32

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel_spans import Collected
from sk_kernel import AdapterSettings, ApplicationSpec, Context, Envelope, NodeSpan
from sk_kernel._graph.units import state_units
from sk_kernel.runtime import SINK, ApplicationContext, TraceIds
from sk_kernel.testing import run_application, run_placed
from sk_kernel.testing._applications import substituted

TYPES = 6
STATES = 3


class _Payload(msgspec.Struct, frozen=True):
    n: int
    text: str = ""


PAYLOADS: list[type[Any]] = [
    msgspec.defstruct(f"P{i}", [], bases=(_Payload,), frozen=True) for i in range(TYPES)
]


@dataclass(frozen=True)
class Plan:
    """How one random node behaves."""

    name: str
    consumes: tuple[int, ...]
    emits: tuple[int, ...]
    kind: str  # one | maybe | many | generator
    states: tuple[int, ...]
    finish: tuple[int, ...]
    finish_many: bool
    enveloped: bool
    context: bool
    is_async: bool
    batched: bool
    consumers: dict[int, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def forgetful(self) -> bool:
        """Where payloads may come in any order, attributes hold nothing that they leave behind."""
        return (self.is_async or self.batched) and not self.states and not self.finish

    @property
    def source_text(self) -> str:
        """The node as a user would write it."""
        inner = " | ".join(f"P{i}" for i in self.emits)
        if self.enveloped:
            inner += " | " + " | ".join(f"Envelope[P{i}]" for i in self.emits)
        gives = {
            "one": inner,
            "maybe": f"{inner} | None",
            "many": f"list[{inner}]",
            "generator": f"Iterator[{inner}]",
        }[self.kind]
        body = "self._behave(payload, ctx)" if self.context else "self._behave(payload, None)"
        if self.kind == "generator" and not self.is_async:
            body = f"(x for x in {body})"
        lines = [
            f"@node(name={self.name!r})",
            f"class {self.name.upper()}:",
            "    def __init__(self" + "".join(f", s{i}: S{i}" for i in self.states) + ") -> None:",
            f"        self.states = [{', '.join(f's{i}.log' for i in self.states)}]",
            "        self.seen = []",
            "    def _behave(self, payload, ctx):",
            f"        seen = {'[]' if self.forgetful else 'self.seen'}",
            f"        return behave(PLANS[{self.name!r}], payload, self.states, seen, ctx)",
            f"    {'async ' if self.is_async else ''}def __call__(self, payload: "
            + " | ".join(f"P{i}" for i in self.consumes)
            + (", ctx: Context" if self.context else "")
            + f") -> {gives}:",
            *(["        await pause(payload.n % 3)"] if self.is_async else []),
            f"        return {body}",
        ]
        if self.batched:
            lines += [
                "    def process_batch(self, payloads: Sequence["
                + " | ".join(f"P{i}" for i in self.consumes)
                + f"]) -> list[{gives}]:",
                "        assert not self.states",
                "        return [self._behave(payload, None) for payload in payloads]",
            ]
        if self.finish:
            kinds = " | ".join(f"P{i}" for i in self.finish)
            lines += [
                f"    def finish(self) -> {f'list[{kinds}]' if self.finish_many else kinds}:",
                f"        return end(PLANS[{self.name!r}], self.states, self.seen)",
            ]
        return "\n".join(lines)


def behave(plan: Plan, payload: Any, states: list[list[int]], seen: list[int], ctx: Any) -> Any:
    """What a node gives: a function of the payload, of all it has seen, and of its states."""
    said = ""
    if ctx is not None:
        said = f"{ctx.sequence},{ctx.trace_id},{ctx.reply_to},{sorted(ctx.headers.items())}"
    known = f"{plan.name}({type(payload).__name__},{payload.text},{said},{states},{seen})"
    chance = crc32(known.encode())
    seen.append(chance % 97)
    for log in states:
        log.append(chance % 89)
        del log[:-3]
    if plan.kind == "one":
        return _one(plan, chance, payload.n)
    if plan.kind == "maybe":
        return None if chance % 3 == 0 else _one(plan, chance, payload.n)
    return [_one(plan, crc32(b"%d %d" % (chance, i)), payload.n) for i in range(chance % 4)]


def _one(plan: Plan, chance: int, number: int) -> Any:
    kind = plan.emits[chance % len(plan.emits)]
    payload = PAYLOADS[kind](number, f"{plan.name}:{chance}")
    if not plan.enveloped or chance % 5 == 0:
        return payload
    consumers = plan.consumers[kind]
    return Envelope(
        payload,
        trace_id=f"{chance:032x}" if chance % 7 == 0 else None,
        target=consumers[chance // 5 % len(consumers)] if chance % 3 == 0 else None,
        reply_to=f"r{chance % 11}" if chance % 4 == 0 else None,
        headers={plan.name: str(chance % 13)} if chance % 2 else {},
    )


async def pause(turns: int) -> None:
    """Let others overtake."""
    for _ in range(turns):
        await asyncio.sleep(0)


def end(plan: Plan, states: list[list[int]], seen: list[int]) -> Any:
    """What a node gives at the end of input."""
    chance = crc32(f"{plan.name} {states} {seen}".encode())
    for log in states:
        log.append(chance % 83)
    given = [PAYLOADS[kind](-1, f"{plan.name}!{chance}") for kind in plan.finish]
    return given if plan.finish_many else given[chance % len(given)]


@dataclass(frozen=True)
class Case:
    """A random graph."""

    plans: tuple[Plan, ...]
    sink: tuple[int, ...]

    @property
    def source_text(self) -> str:
        """The module that declares it."""
        states = "\n".join(
            f"@state(key=None)\nclass S{i}:\n    def __init__(self):\n        self.log = []"
            for i in range(STATES)
        )
        sink = " | ".join(f"P{i}" for i in self.sink)
        return "\n".join(
            [
                "from collections.abc import Iterator, Sequence",
                "from sk_kernel import Context, Envelope, node, sink, source, state",
                "@source(name='in')",
                "def numbers() -> Iterator[P0 | Envelope[P0]]:",
                "    yield from ()",
                f"@sink(name='out')\ndef out(payload: {sink}) -> None: ...",
                states,
                *(plan.source_text for plan in self.plans),
            ]
        )

    def consumers(self, kind: int) -> tuple[str, ...]:
        """Who takes a type, in the order of declaration."""
        nodes = tuple(plan.name for plan in self.plans if kind in plan.consumes)
        return nodes + ((SINK,) if kind in self.sink else ())


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Acyclic graphs in which every node is reached and every type is consumed."""
    available = {0}
    plans: list[Plan] = []
    for number in range(draw(st.integers(1, 6))):
        low = sorted(k for k in available if k < TYPES - 1)
        consumes = draw(st.lists(st.sampled_from(low), min_size=1, max_size=3, unique=True))
        higher = st.integers(max(consumes) + 1, TYPES - 1)
        emits = draw(st.lists(higher, min_size=1, max_size=2, unique=True))
        finish = draw(st.one_of(st.just([]), st.lists(higher, min_size=1, max_size=2, unique=True)))
        plan = Plan(
            name=f"n{number}",
            consumes=tuple(sorted(consumes)),
            emits=tuple(emits),
            kind=draw(st.sampled_from(["one", "one", "maybe", "many", "generator"])),
            states=tuple(sorted(draw(st.sets(st.integers(0, STATES - 1), max_size=2)))),
            finish=tuple(finish),
            finish_many=draw(st.booleans()),
            enveloped=draw(st.integers(0, 2)) == 0,
            context=draw(st.integers(0, 2)) == 0,
            is_async=draw(st.integers(0, 5)) == 0,
            batched=draw(st.booleans()),
        )
        plain = plan.kind in ("one", "maybe") and not (plan.finish or plan.context)
        plan = replace(plan, batched=plan.batched and plain and not plan.is_async)
        plans.append(plan)
        available |= {*emits, *finish}
    declared = tuple(draw(st.permutations(plans)))
    consumed = {k for plan in plans for k in plan.consumes}
    extra = draw(st.sets(st.sampled_from(sorted(available))))
    case = Case(declared, tuple(sorted((available - consumed) | extra)))
    for plan in declared:
        plan.consumers.update({k: case.consumers(k) for k in (*plan.emits, *plan.finish)})
    return case


class Oracle:
    """Each record depth first through everything, before the next one enters."""

    def __init__(self, case: Case, trace_ids: Any) -> None:
        self._case, self._trace_ids = case, trace_ids
        self._plans = {plan.name: plan for plan in case.plans}
        self._states: list[list[int]] = [[] for _ in range(STATES)]
        self._seen: dict[str, list[int]] = {name: [] for name in self._plans}
        self.received: list[Any] = []

    def run(self, payloads: list[Any]) -> list[Any]:
        for sequence, payload in enumerate(payloads, 1):
            self._send(payload, sequence, {})
        for plan in sorted(self._plans.values(), key=self._order):
            if plan.finish:
                given = end(plan, self._states_of(plan), self._seen[plan.name])
                for payload in given if plan.finish_many else [given]:
                    self._send(payload, len(payloads) + 1, {})
        return self.received

    def _send(self, output: Any, sequence: int, known: dict[str, Any]) -> None:
        target = None
        if isinstance(output, Envelope):
            said = {"trace_id": output.trace_id, "reply_to": output.reply_to}
            known = {**known, **{k: v for k, v in said.items() if v}}
            known["headers"] = {**known.get("headers", {}), **output.headers}
            target, output = output.target, output.payload
        for name in self._case.consumers(PAYLOADS.index(type(output))):
            if target in (None, name):
                if name == SINK:
                    self.received.append(output)
                else:
                    self._visit(self._plans[name], output, sequence, known)

    def _visit(self, plan: Plan, payload: Any, sequence: int, known: dict[str, Any]) -> None:
        ctx = None
        if plan.context:
            trace = known.get("trace_id") or self._trace_ids.of(sequence)
            reply_to, headers = known.get("reply_to"), known.get("headers", {})
            ctx = Context("test", "test", "", plan.name, sequence, trace, reply_to, headers)
        seen = [] if plan.forgetful else self._seen[plan.name]
        outputs = behave(plan, payload, self._states_of(plan), seen, ctx)
        for output in outputs if isinstance(outputs, list) else [outputs]:
            if output is not None:
                self._send(output, sequence, known)

    def _states_of(self, plan: Plan) -> list[list[int]]:
        return [self._states[i] for i in plan.states]

    def _order(self, plan: Plan) -> tuple[int, int]:
        return self._distance(plan), list(self._plans).index(plan.name)

    def _distance(self, plan: Plan) -> int:
        feeding = [
            other
            for other in self._plans.values()
            if set(plan.consumes) & {*other.emits, *other.finish}
        ]
        return max((self._distance(other) + 1 for other in feeding), default=0)


@st.composite
def inputs(draw: st.DrawFn) -> list[Any]:
    """Payloads of the source, some in envelopes."""
    texts = draw(st.lists(st.integers(0, 50), max_size=20))
    payloads: list[Any] = [PAYLOADS[0](n, f"in{n}") for n in texts]
    if draw(st.booleans()):
        payloads = [
            Envelope(p, f"{p.n:032x}", None, "me", {"h": str(i)}) if p.n % 3 == 0 else p
            for i, p in enumerate(payloads)
        ]
    return payloads


@contextmanager
def _declared(case: Case) -> Iterator[str]:
    module = ModuleType("declared_random_graph")
    names = {cls.__name__: cls for cls in PAYLOADS}
    vars(module).update(
        names, behave=behave, end=end, pause=pause, PLANS={plan.name: plan for plan in case.plans}
    )
    sys.modules[module.__name__] = module
    try:
        exec(case.source_text, vars(module))  # noqa: S102 - the test's own text
        yield module.__name__
    finally:
        del sys.modules[module.__name__]


def _spec(root: str) -> ApplicationSpec:
    return ApplicationSpec(
        scenario="test",
        discovery_modules=[root],
        source=AdapterSettings("in"),
        sink=AdapterSettings("out"),
    )


def _placement(context: ApplicationContext, choices: list[int]) -> dict[str, str]:
    units = state_units(context.graph, context.all_states)
    return {
        name: f"g{choice % 4}"
        for unit, choice in zip(units, choices, strict=False)
        for name in unit
    }


@pytest.mark.contract("P5PRE-ENV-01")
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    case=cases(),
    payloads=inputs(),
    batch=st.integers(1, 8),
    choices=st.lists(st.integers(0, 3), min_size=9, max_size=9),
    max_bytes=st.integers(400, 3000),
    ratio=st.sampled_from([None, 0.0, 0.3, 1.0]),
)
def test_memory_and_placed_runs_equal_a_depth_first_oracle(
    case: Case,
    payloads: list[Any],
    batch: int,
    choices: list[int],
    max_bytes: int,
    ratio: float | None,
) -> None:
    """Sink output, order included, and through it what every state saw, is always the oracle's."""
    with _declared(case) as root:
        expected = Oracle(case, TraceIds("test")).run(payloads)
        spec = _spec(root)
        alone, apart = Collected(), Collected()
        watched: dict[str, Any] = {"batch_records": batch, "sampling_ratio": ratio or 0.0}
        watching = [] if ratio is None else [alone]
        assert run_application(spec, payloads, observers=watching, **watched) == expected
        context, _ = substituted(spec, payloads, {})
        placement = _placement(context, choices)
        watching = [] if ratio is None else [apart]
        placed = run_placed(
            spec, payloads, placement, max_bytes=max_bytes, observers=watching, **watched
        )
        assert placed == expected
        _require_trees(alone.spans)
        _require_hops(apart.spans)
        assert _forest(apart.spans) == _forest(alone.spans)


def _records(spans: list[NodeSpan]) -> list[NodeSpan]:
    return [span for span in spans if span.kind == "internal"]


def _forest(spans: list[NodeSpan]) -> set[tuple[Any, ...]]:
    """The traces of records, without what is said of processes and of time."""
    return {
        (s.trace_id, s.span_id, s.parent_id, s.name, s.sequence, s.error, *s.attributes.items())
        for s in _records(spans)
    }


def _require_trees(spans: list[NodeSpan]) -> None:
    """Every parent is a span of the same trace, and every span is there once."""
    known = {(span.trace_id, span.span_id) for span in spans}
    for span in spans:
        assert span.parent_id is None or (span.trace_id, span.parent_id) in known, span
    assert len(spans) == len(known)


def _require_hops(spans: list[NodeSpan]) -> None:
    """Whatever is linked is there, and every record's way over a border is."""
    _require_trees(spans)
    kinds = {(span.trace_id, span.span_id): span.kind for span in spans}
    linked: dict[str, set[str]] = {}
    for span in spans:
        to = {kinds[link.trace_id, link.span_id] for link in span.links}
        linked[span.kind] = linked.get(span.kind, set()) | to
    groups = {(span.trace_id, span.span_id): span.process_group for span in spans}
    assert linked.get("producer", set()) <= {"internal"}
    assert linked.get("consumer", set()) <= {"producer"}
    assert linked.get("internal", set()) <= {"consumer"}
    for span in _records(spans):
        if span.handoff_from:
            (link,) = span.links
            assert groups[link.trace_id, link.span_id] == span.process_group
    taken = [link for span in spans if span.kind == "consumer" for link in span.links]
    sent = [(s.trace_id, s.span_id) for s in spans if s.kind == "producer"]
    assert sorted((link.trace_id, link.span_id) for link in taken) == sorted(sent)
