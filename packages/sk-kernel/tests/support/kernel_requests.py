"""Graphs that serve requests, and what those come to that run together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from sk_kernel import AdapterSettings, ApplicationSpec
from sk_kernel.runtime import (
    SINK,
    SOURCE,
    WHOLE,
    Answer,
    ApplicationContext,
    Entrances,
    ExecutionPlan,
    Identity,
    RequestCodec,
    RequestRunner,
    SegmentRunner,
    TraceIds,
    Visit,
    WirePart,
    frames_of,
    make_plan,
)

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
FAILING = """
@node
def first(a: A) -> B:
    return B(a.n)
@node
def second(b: B) -> C:
    raise ValueError("secret")
"""
SERVED = {"source": AdapterSettings("requests", {}), "sink": AdapterSettings("replies", {})}


def spec(module: ModuleType, **changes: Any) -> ApplicationSpec:
    """An application of one module that is asked."""
    return ApplicationSpec(
        **{"scenario": "s", "discovery_modules": [module.__name__], **SERVED, **changes}
    )


def placed(context: ApplicationContext, group_of: Mapping[str, str]) -> ExecutionPlan:
    """A plan with the source and the sink in group ``g``."""
    return make_plan(context.graph, {SOURCE: "g", SINK: "g", **group_of}, context.all_states)


def one_batch(
    context: ApplicationContext, plan: ExecutionPlan, target: str, payloads: list[Any]
) -> list[Answer]:
    """What the requests ``r0``, ``r1`` and so on come to that reach their node together."""
    entrances, segment = Entrances(context.graph, "r"), plan.segment_of(target)
    own = Identity("r", "s", segment.group, TraceIds("r"))
    with asyncio.Runner() as loop:
        runner = SegmentRunner(
            context, plan, segment, context.container(), own, loop=loop, write=lambda _: None
        )
        asked = [
            Visit(f"r{n}", WHOLE, entrances.entry(target, type(x)), entrances.root(n, 0, 1), x)
            for n, x in enumerate(payloads)
        ]
        return RequestRunner(plan, segment, runner).run(asked).answers


def sent_answers(codec: RequestCodec, answers: list[Answer], limit: int = 1 << 20) -> list[Answer]:
    """The answers as the other end has them."""
    frames = frames_of(codec.answer_parts(answers, limit), limit)
    return [codec.read(answer) for frame in frames for answer in codec.answers(frame)]


def together(several: Iterable[bytes]) -> bytes:
    """Visits of one frame, encoded one by one."""
    (frame,) = frames_of([WirePart(1, each) for each in several], 1 << 20)
    return frame
