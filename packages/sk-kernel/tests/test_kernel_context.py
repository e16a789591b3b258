"""P5PRE-ENV-01: what a node sees of where it runs, and what it never sees."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sk_kernel import Context, Envelope, NodeOutputError
from sk_kernel.runtime import TraceIds
from sk_kernel.testing import run_application, run_placed

pytestmark = pytest.mark.contract("P5PRE-ENV-01")

HOPS = """
SEEN = []

def note(payload, ctx):
    SEEN.append((payload, ctx))
    return payload.n

@node
def one(a: A, ctx: Context) -> B: return B(note(a, ctx))
@node
def two(b: B, ctx: Context) -> list[C]: return [C(note(b, ctx)), C(b.n + 100)]
@node
async def three(c: C, ctx: Context) -> D: return D(str(note(c, ctx)))
@node
def four(c: C, ctx: Context) -> D: return D(str(note(c, ctx)))
"""
PLACEMENTS: list[dict[str, str]] = [
    {},
    {"one": "w", "two": "x", "three": "y", "four": "z", "sink:sink": "w"},
    {"two": "x", "four": "x"},
]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_identity_and_correlation_survive_every_hop(
    declare: Any, placement: dict[str, str]
) -> None:
    module = declare(HOPS)
    given = [
        Envelope(module.A(1), trace_id="ab" * 16, reply_to="me", headers={"tenant": "blue"}),
        module.A(2),
    ]
    run_placed([module.__name__], given, placement, run_id="r7")
    assert len(module.SEEN) == 2 * (1 + 1 + 2 + 2)
    for payload, ctx in module.SEEN:
        first = payload.n % 100 == 1
        assert (ctx.run_id, ctx.scenario) == ("r7", "test")
        assert ctx.group == placement.get(ctx.node, "main")
        assert ctx.sequence == (1 if first else 2)
        assert ctx.trace_id == ("ab" * 16 if first else TraceIds("r7").of(2))
        assert ctx.reply_to == ("me" if first else None)
        assert dict(ctx.headers) == ({"tenant": "blue"} if first else {})


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_payloads_are_what_nodes_made_and_carry_no_metadata(
    declare: Any, placement: dict[str, str]
) -> None:
    module = declare(HOPS)
    given = [Envelope(module.A(n), reply_to="me", headers={"k": "v"}) for n in (1, 2)]
    got = run_placed([module.__name__], given, placement)
    assert got == [module.D(text) for text in ("1", "1", "101", "101", "2", "2", "102", "102")]
    for payload, ctx in module.SEEN:
        assert set(msgspec.to_builtins(payload)) == {"n"}
        assert set(ctx.headers) == {"k"}


def test_headers_are_merged_down_the_way_and_never_sideways(declare: Any) -> None:
    module = declare(
        """
        SEEN = {}
        @node
        def mark(a: A) -> list[Envelope[B]]:
            return [Envelope(B(i), headers={"i": str(i), "of": "mark"}) for i in range(2)]
        @node
        def again(b: B, ctx: Context) -> Envelope[C]:
            return Envelope(C(b.n), headers={"of": "again"}, reply_to=f"r{b.n}")
        @node
        def side(b: B, ctx: Context) -> None: SEEN["side", b.n] = (ctx.reply_to, dict(ctx.headers))
        @node
        def last(c: C, ctx: Context) -> None: SEEN["last", c.n] = (ctx.reply_to, dict(ctx.headers))
        """
    )
    given = [Envelope(module.A(0), reply_to="me", headers={"from": "source"})]
    for placed in (None, {"again": "x", "last": "y", "side": "z"}):
        module.SEEN.clear()
        if placed is None:
            run_application([module.__name__], given)
        else:
            run_placed([module.__name__], given, placed)
        for i in range(2):
            head = {"from": "source", "i": str(i)}
            assert module.SEEN["side", i] == ("me", {**head, "of": "mark"})
            assert module.SEEN["last", i] == (f"r{i}", {**head, "of": "again"})


def test_a_node_cannot_change_the_headers_of_others(declare: Any) -> None:
    module = declare(
        """
        @node
        def f(a: A, ctx: Context) -> D:
            try:
                ctx.headers["x"] = "y"
            except TypeError:
                return D("refused")
            return D("changed")
        """
    )
    given = [module.A(1), Envelope(module.A(2), headers={"k": "v"})]
    assert [d.text for d in run_application([module.__name__], given)] == ["refused", "refused"]


def test_what_finish_gives_is_numbered_behind_the_last_record(declare: Any) -> None:
    module = declare(
        """
        @node
        class Total:
            def __call__(self, a: A) -> None: ...
            def finish(self) -> B: return B(0)
        @node
        def show(b: B, ctx: Context) -> D: return D(f"{ctx.sequence} {ctx.trace_id}")
        """
    )
    (end,) = run_application([module.__name__], [module.A(n) for n in range(4)], run_id="r")
    assert end.text == f"5 {TraceIds('r').of(5)}"


def test_a_context_holds_no_transport_secret_or_route() -> None:
    assert Context.__struct_fields__ == (
        "run_id", "scenario", "group", "node", "sequence", "trace_id", "reply_to", "headers",
        "sampled", "key",
    )  # fmt: skip


SAYING = """
GIVEN = []
@node
def says(a: A) -> Envelope[B]: return GIVEN[0] if a.n == 2 else Envelope(B(a.n))
@node
def hears(b: B, ctx: Context) -> D: return D(ctx.trace_id)
"""
UNFIT: list[dict[str, Any]] = [
    {"trace_id": "x\ud800"},
    {"trace_id": 5},
    {"reply_to": b"x"},
    {"target": ["hears"]},
    {"headers": {"k": "\udcff"}},
    {"headers": {1: "v"}},
    {"headers": {"k": None}},
    {"headers": ["k"]},
]


@pytest.mark.parametrize("said", UNFIT)
def test_what_an_envelope_says_that_is_no_text_is_the_fault_of_who_gave_it(
    declare: Any, said: dict[str, Any]
) -> None:
    module = declare(SAYING)
    (name,) = said
    wanted = f"an Envelope with {'headers that are' if name == 'headers' else f'a {name} that is'}"
    module.GIVEN.append(Envelope(module.B(2), **said))
    with pytest.raises(NodeOutputError, match=wanted) as caught:
        run_application([module.__name__], [module.A(n) for n in (1, 2, 3)])
    assert (caught.value.node, caught.value.sequence) == ("says", 2)
    from_source = [Envelope(module.A(1)), Envelope(module.A(2), **said)]
    with pytest.raises(NodeOutputError, match=wanted) as caught:
        run_application([module.__name__], from_source)
    assert (caught.value.node, caught.value.sequence) == ("source:source", 2)
