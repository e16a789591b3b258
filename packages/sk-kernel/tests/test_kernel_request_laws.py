"""The law of requests that run together: of each comes what comes of it alone, in that order."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_spans import Deaf
from sk_kernel import AdapterSettings, ApplicationSpec, FailureSpec, NodeFailure
from sk_kernel.runtime import (
    SINK,
    SOURCE,
    WHOLE,
    Answer,
    ApplicationContext,
    Entrances,
    Identity,
    Losses,
    RequestRunner,
    SegmentRunner,
    TraceIds,
    Tracer,
    Visit,
    make_plan,
)

NAME = "declared_for_the_laws_of_requests"

HEAD = """
import asyncio
import msgspec
from sk_kernel import Context, Envelope, node, state

class A(msgspec.Struct):
    n: int
class B(msgspec.Struct):
    n: int
class C(msgspec.Struct):
    n: int
class D(msgspec.Struct):
    n: int
class E(msgspec.Struct):
    n: int

bad, seen = {}, []

def look(name, n):
    how = bad.get(name, {}).get(n % 16)
    if how == "raise": raise ValueError(n)
    if how == "exit": raise SystemExit(1)
    if how == "cancel": raise asyncio.CancelledError
    return how == "wrong"

@state(key=None)
class Seen:
    def __init__(self):
        self.all = seen
"""

LINE = """
@node
async def n0(a: A, about: Context) -> B:
    await asyncio.sleep(0)
    return A(0) if look("n0", a.n) else B(a.n)
@node
class n1:
    def __init__(self, seen: Seen): self.seen = seen
    def __call__(self, b: B) -> C:
        wrong = look("n1", b.n)
        self.seen.all.append(("n1", b.n))
        return A(0) if wrong else C(b.n)
@node
class n2:
    def __init__(self, seen: Seen): self.seen = seen
    def __call__(self, c: C) -> D:
        wrong = look("n2", c.n)
        self.seen.all.append(("n2", c.n))
        return A(0) if wrong else D(len(self.seen.all))
@node
def n3(d: D) -> E | None:
    return A(0) if look("n3", d.n) else E(d.n) if d.n % 5 else None
"""

TREE = """
@node
def n0(a: A) -> list[B]:
    return [A(0)] if look("n0", a.n) else [B(a.n + i) for i in range(a.n % 4)]
@node
async def n1(b: B) -> Envelope[C] | None:
    await asyncio.sleep(0)
    wrong = look("n1", b.n)
    if b.n % 7 == 0: return None
    return Envelope(A(0) if wrong else C(b.n), headers={"n": str(b.n)})
@node
class n2:
    def __init__(self, seen: Seen): self.seen = seen
    def __call__(self, b: B) -> D:
        wrong = look("n2", b.n)
        self.seen.all.append(("n2", b.n))
        return A(0) if wrong else D(b.n)
@node
class n3:
    def __init__(self, seen: Seen): self.seen = seen
    def __call__(self, c: C, about: Context) -> E | D:
        wrong = look("n3", c.n)
        self.seen.all.append(("n3", c.n, about.sequence, about.headers.get("n")))
        return A(0) if wrong else E(c.n) if c.n % 2 else D(c.n)
@node
class n4:
    def __init__(self, seen: Seen): self.seen = seen
    def __call__(self, d: D) -> E | None:
        wrong = look("n4", d.n)
        self.seen.all.append(("n4", d.n))
        return A(0) if wrong else E(d.n + len(self.seen.all)) if d.n % 3 else None
"""
NODES = ("n0", "n1", "n2", "n3", "n4")


@pytest.fixture(scope="module", params=[LINE, TREE], ids=["line", "tree"])
def app(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    module = ModuleType(NAME)
    sys.modules[NAME] = module
    exec(HEAD + request.param, vars(module))  # noqa: S102 - the texts above
    yield module
    del sys.modules[NAME]


class Worker:
    """All segments of an application in one process, asked as workers are."""

    def __init__(self, failure: FailureSpec, groups: Mapping[str, str], *, traced: bool) -> None:
        served = {"source": AdapterSettings("requests"), "sink": AdapterSettings("replies")}
        spec = ApplicationSpec(scenario="laws", discovery_modules=[NAME], failure=failure, **served)
        context = ApplicationContext(spec)
        kept = [name for name in context.graph.nodes if context.states_of(name)]
        own = {name: groups["n2" if name in kept else name] for name in context.graph.nodes}
        plan = make_plan(context.graph, {SOURCE: "g", SINK: "g", **own}, context.all_states)
        ids = TraceIds("r")
        tracer = Tracer(plan, ids, [Deaf()]) if traced else None
        self._entry, self._entrances = plan.segment_of("n0").index, Entrances(context.graph, "r")
        self._loop, self.losses = asyncio.Runner(), []
        self._runners: dict[int, RequestRunner] = {}
        container = context.container()
        for s in plan.segments:
            identity = Identity("r", "laws", s.group, ids)
            self.losses.append(Losses(identity))
            runner = SegmentRunner(
                context,
                plan,
                s,
                container,
                identity,
                tracer=tracer,
                write=lambda _: pytest.fail("a request was written"),
                loop=self._loop,
                losses=self.losses[-1],
            )
            self._runners[s.index] = RequestRunner(plan, s, runner)

    def ask(self, payloads: Mapping[int, Any], *, sampled: bool) -> list[Answer]:
        """What comes of requests, by number, that go through every segment together."""
        here = {
            self._entry: [
                Visit(
                    f"r{number}",
                    WHOLE,
                    self._entrances.entry("n0", type(payload)),
                    self._entrances.root(number, 0, 1),
                    payload,
                    sampled=sampled,
                )
                for number, payload in payloads.items()
            ]
        }
        answers: list[Answer] = []
        while here:
            index = min(here)
            ended, onward = self._runners[index].run(here.pop(index))
            answers += ended
            for segment, visits in onward.items():
                here.setdefault(segment, []).extend(visits)
        return answers

    def close(self) -> None:
        self._loop.close()


kinds = st.sampled_from(["dead_letter", "skip"])
policies = {name: st.builds(NodeFailure, kinds) for name in NODES}
policies["n0"] = st.builds(NodeFailure, kinds, st.integers(1, 2))  # the others may keep a state
faults = st.dictionaries(
    st.integers(0, 15), st.sampled_from(["raise", "exit", "cancel", "wrong"]), max_size=4
)


@settings(max_examples=60, deadline=None)
@given(
    own=st.fixed_dictionaries({}, optional=policies),
    bad=st.fixed_dictionaries({}, optional=dict.fromkeys(NODES, faults)),
    asked=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    groups=st.fixed_dictionaries(dict.fromkeys(NODES, st.sampled_from("gh"))),
    traced=st.booleans(),
)
def test_requests_that_run_together_come_to_what_each_comes_to_alone(
    app: ModuleType,
    own: dict[str, NodeFailure],
    bad: dict[str, dict[int, str]],
    asked: Sequence[int],
    groups: dict[str, str],
    traced: bool,
) -> None:
    vars(app)["bad"] = bad
    known = {name: policy for name, policy in own.items() if hasattr(app, name)}
    failure = FailureSpec(nodes=known, dead_letters="never written")
    requests = {number: app.A(n) for number, n in enumerate(asked, 1)}
    results = []
    for batches in ([requests], [{number: payload} for number, payload in requests.items()]):
        vars(app)["seen"] = seen = list[Any]()
        worker = Worker(failure, groups, traced=traced)
        try:
            answers = [a for batch in batches for a in worker.ask(batch, sampled=traced)]
            lost = [(losses.dead_lettered, losses.skipped) for losses in worker.losses]
            results.append((_by_request(answers), seen, lost))
        finally:
            worker.close()
    assert results[0] == results[1]


def _by_request(answers: Sequence[Answer]) -> dict[str, Counter[Any]]:
    found: dict[str, Counter[Any]] = {}
    for request, weight, *rest in answers:
        said = found.setdefault(request, Counter())
        said["weight"] += weight
        said[repr(rest)] += 1
    assert all(said["weight"] == WHOLE for said in found.values())
    return found
