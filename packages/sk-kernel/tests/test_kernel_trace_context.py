"""W3C Trace Context: what nodes may pass on, and what a caller of the source says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_spans import OfRecords
from sk_kernel import Context, Envelope, NodeFailedError
from sk_kernel._record.trace_context import (
    TraceParent,
    read_traceparent,
    w3c_trace_id,
    write_traceparent,
)
from sk_kernel.runtime import TraceIds, span_id
from sk_kernel.testing import run_application, run_placed

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

NODES = """
PASSED_ON = {}
HEADERS = {}

def note(payload, ctx):
    PASSED_ON[payload.n, ctx.node] = ctx.traceparent
    HEADERS[payload.n, ctx.node] = dict(ctx.headers)
    return payload.n

@node
def one(a: A, ctx: Context) -> B: return B(note(a, ctx))
@node
async def two(b: B, ctx: Context) -> list[C]: return [C(note(b, ctx))]
@node
def three(c: C, ctx: Context) -> D: return D(str(note(c, ctx)))
"""
APART = {"one": "x", "two": "y", "three": "x"}


def hexadecimal(digits: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=digits, max_size=digits).filter(
        lambda text: set(text) != {"0"}
    )


@given(trace=hexadecimal(32), span=hexadecimal(16), sampled=st.booleans())
def test_what_is_written_is_read(trace: str, span: str, *, sampled: bool) -> None:
    text = write_traceparent(trace, span, sampled=sampled)
    assert read_traceparent(text) == TraceParent(trace, span, sampled)


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-holds", True),
    ],
)
def test_flags_and_versions_to_come_are_read(text: str, *, sampled: bool) -> None:
    assert read_traceparent(text) == TraceParent(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-0x",
    ],
)
def test_what_is_no_traceparent_is_not_read(text: str) -> None:
    assert read_traceparent(text) is None


@given(st.text())
def test_no_text_makes_the_reading_raise(text: str) -> None:
    read_traceparent(text)


@given(st.text() | st.uuids().map(str) | hexadecimal(32))
def test_any_id_has_one_of_trace_context_that_stays_itself(text: str) -> None:
    trace = w3c_trace_id(text)
    assert int(trace, 16) > 0
    assert (len(trace), trace) == (32, trace.lower())
    assert w3c_trace_id(trace) == trace


def test_a_uuid_is_its_digits() -> None:
    assert w3c_trace_id(str(UUID(TRACE))) == w3c_trace_id(TRACE.upper()) == TRACE
    assert w3c_trace_id("order-17") != w3c_trace_id("order-18")


@pytest.mark.contract("P5PRE-ENV-01")
@pytest.mark.parametrize("placement", [None, APART])
@pytest.mark.parametrize("ratio", [None, 0.0, 0.4, 1.0])
def test_a_node_passes_its_own_span_on_with_the_decision(
    declare: Any, placement: dict[str, str] | None, ratio: float | None
) -> None:
    """And neither payload nor headers have any of it."""
    module, seen = declare(NODES), OfRecords()
    given_ = [module.A(n) for n in range(1, 21)]
    watched: dict[str, Any] = {"observers": [seen] if ratio is not None else []}
    watched |= {"sampling_ratio": ratio or 0.0, "run_id": "r", "batch_records": 7}
    if placement is None:
        run_application([module.__name__], given_, **watched)
    else:
        run_placed([module.__name__], given_, placement, **watched)
    ids = TraceIds("r", ratio or 0.0)
    chosen = ids.sampled(1, 20) if ratio is not None else frozenset()
    recorded = {(s.sequence, s.name): s for s in seen.spans}
    assert len(module.PASSED_ON) == 60
    for (sequence, name), text in module.PASSED_ON.items():
        passed = read_traceparent(text)
        assert passed is not None
        assert (passed.trace_id, passed.sampled) == (ids.of(sequence), sequence in chosen)
        if sequence in chosen:
            assert passed.span_id == recorded[sequence, name].span_id
    assert not any(module.HEADERS.values())


def test_the_span_of_a_failure_is_the_one_that_was_passed_on(declare: Any) -> None:
    """Also where nothing is sampled: whoever was called has that id."""
    failing = NODES.replace("return D(str(note(c, ctx)))", "note(c, ctx); raise KeyError")
    module, seen = declare(failing), OfRecords()
    with pytest.raises(NodeFailedError):
        run_application([module.__name__], [module.A(1)], observers=[seen], sampling_ratio=0.0)
    passed = read_traceparent(module.PASSED_ON[1, "three"])
    (span,) = seen.spans
    assert passed == TraceParent(span.trace_id, span.span_id, False)


def test_a_context_made_by_hand_has_a_traceparent() -> None:
    context = Context("r", "s", "g", "n", 7, TRACE)
    assert context.traceparent == f"00-{TRACE}-{span_id(TRACE, 'n', 7)}-00"


def called(module: Any, *said: str | None, **more: Any) -> list[Any]:
    """Payloads from 1 on, each with what its caller said, if anything, and a header besides."""
    headers = [{"tenant": "blue", **({"traceparent": text} if text else {})} for text in said]
    return [Envelope(module.A(n), headers=own, **more) for n, own in enumerate(headers, 1)]


def both(module: Any, payloads: list[Any], **options: Any) -> list[OfRecords]:
    """What is seen of a run in memory, and of one in groups."""
    seen = [OfRecords(), OfRecords()]
    run_application([module.__name__], payloads, observers=[seen[0]], **options)
    run_placed([module.__name__], payloads, APART, observers=[seen[1]], **options)
    return seen


@pytest.mark.contract("P5PRE-ENV-01")
def test_a_record_that_a_caller_sends_is_part_of_the_caller_s_trace(declare: Any) -> None:
    module = declare(NODES)
    for seen in both(module, called(module, f"00-{TRACE}-{SPAN}-01", None), run_id="r"):
        first = [span for span in seen.spans if span.sequence == 1]
        assert {span.trace_id for span in first} == {TRACE}
        assert [span.parent_id for span in first if span.name == "source:source"] == [SPAN]
        others = {span.trace_id for span in seen.spans if span.sequence == 2}
        assert others == {TraceIds("r").of(2)}
    assert module.PASSED_ON[1, "three"].startswith(f"00-{TRACE}-")
    assert SPAN not in module.PASSED_ON[1, "three"]
    assert set(map(str, module.HEADERS.values())) == {"{'tenant': 'blue'}"}


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
def test_a_caller_s_decision_goes_before_the_ratio(declare: Any, ratio: float) -> None:
    module = declare(NODES)
    said = [f"00-{TRACE}-{SPAN}-{flags}" for flags in ("01", "00")] * 10 + [None] * 10
    own = TraceIds("r", ratio).sampled(21, 30)
    options: dict[str, Any] = {"run_id": "r", "sampling_ratio": ratio, "batch_records": 4}
    for seen in both(module, called(module, *said), **options):
        assert {span.sequence for span in seen.spans} == set(range(1, 21, 2)) | own
    flags = {n: text[-2:] for (n, _), text in module.PASSED_ON.items()}
    assert {n for n, flag in flags.items() if flag == "01"} == set(range(1, 21, 2)) | own


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_caller_s_decision_is_passed_on_where_nothing_is_recorded(
    declare: Any, flags: str
) -> None:
    module = declare(NODES)
    run_placed([module.__name__], called(module, f"00-{TRACE}-{SPAN}-{flags}"), APART)
    assert {text[:36] + text[-2:] for text in module.PASSED_ON.values()} == {f"00-{TRACE}-{flags}"}


def test_an_envelope_s_own_trace_id_stays_and_the_caller_is_linked(declare: Any) -> None:
    module = declare(NODES)
    payloads = called(module, f"00-{TRACE}-{SPAN}-01", trace_id="order-17")
    for seen in both(module, payloads, sampling_ratio=0.0):
        assert {span.trace_id for span in seen.spans} == {w3c_trace_id("order-17")}
        (source,) = [span for span in seen.spans if span.name == "source:source"]
        assert source.parent_id is None
        assert [(link.trace_id, link.span_id) for link in source.links] == [(TRACE, SPAN)]


def test_an_id_that_is_none_of_a_trace_is_named_in_every_span(declare: Any) -> None:
    module = declare(NODES.replace("note(a, ctx)", "(ctx.trace_id == 'order-17') * note(a, ctx)"))
    payloads = [Envelope(module.A(1), trace_id="order-17"), Envelope(module.A(2), trace_id=TRACE)]
    for seen in both(module, payloads):
        first = [span for span in seen.spans if span.sequence == 1]
        said = {span.attributes["messaging.message.conversation_id"] for span in first}
        assert said == {"order-17"}
        assert not any(span.attributes for span in seen.spans if span.sequence == 2)
    assert (1, "two") in module.PASSED_ON


def test_what_is_no_traceparent_stays_a_header(declare: Any) -> None:
    module = declare(NODES)
    run_placed([module.__name__], called(module, "00-not-one-01"), APART)
    assert module.HEADERS[1, "three"] == {"tenant": "blue", "traceparent": "00-not-one-01"}
