"""Spans of hops: a PRODUCER and a CONSUMER a batch, linked to each other and to the records."""

from __future__ import annotations

from typing import Any

import pytest
from kernel_spans import Collected
from sk_kernel import SpanLink
from sk_kernel.runtime import TraceIds
from sk_kernel.testing import run_application, run_placed

CHAIN = """
@node
def one(a: A) -> B: return B(a.n)
@node
def two(b: B) -> C | None: return C(b.n) if b.n % 2 else None
@node
def three(c: C) -> D: return D(str(c.n))
"""
APART = {"one": "x", "two": "y", "three": "z", "sink:sink": "z"}


def ran(module: Any, count: int = 4, placement: Any = None, **options: Any) -> Collected:
    """The spans of a run over the groups x, y and z behind ``main``, unless placed otherwise."""
    seen = Collected()
    given = [module.A(n) for n in range(1, count + 1)]
    run_placed([module.__name__], given, placement or APART, observers=[seen], **options)
    return seen


def linked(link: SpanLink) -> tuple[str, str]:
    return link.trace_id, link.span_id


def test_a_batch_is_one_trace_from_hop_to_hop(declare: Any) -> None:
    seen = ran(declare(CHAIN), run_id="r")
    told = [
        (s.name, s.kind, s.process_group, s.route_hop, s.handoff_from)
        for s in seen.spans
        if s.kind != "internal"
    ]
    assert told == [
        ("send x", "producer", "main", 0, None),
        ("process x", "consumer", "x", 1, "main"),
        ("send y", "producer", "x", 1, None),
        ("process y", "consumer", "y", 2, "x"),
        ("send z", "producer", "y", 2, None),
        ("process z", "consumer", "z", 3, "y"),
    ]
    hops = [s for s in seen.spans if s.kind != "internal"]
    assert {s.trace_id for s in hops} == {TraceIds("r").of_batch(1)}
    assert [s.parent_id for s in hops] == [None, *(s.span_id for s in hops[:-1])]
    assert {s.sequence for s in hops} == {1}
    assert all(a.end_ns <= b.start_ns for a, b in zip(hops[1::2], hops[2::2], strict=False))


def test_a_hop_has_the_attributes_of_the_conventions_for_messaging(declare: Any) -> None:
    seen = ran(declare(CHAIN))
    last = [s for s in seen.spans if s.name in ("send z", "process z")]
    assert [dict(s.attributes) for s in last] == [
        {
            "messaging.system": "stream_kernel",
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.destination.name": "z",
            "messaging.batch.message_count": 2,
            "messaging.stream_kernel.batch": 1,
        }
        for operation in ("send", "process")
    ]


@pytest.mark.contract("P5PRE-OBS-06")
def test_hop_and_record_are_linked_both_ways(declare: Any) -> None:
    seen = ran(declare(CHAIN))
    at = {(s.trace_id, s.span_id): s for s in seen.spans}
    send, process = (next(s for s in seen.spans if s.name == n) for n in ("send y", "process y"))
    assert [at[linked(k)].name for k in send.links] == ["one"] * 4
    assert [at[linked(k)].sequence for k in send.links] == [1, 2, 3, 4]
    assert [linked(k) for k in process.links] == [(send.trace_id, send.span_id)]
    for span in seen.of("internal"):
        behind = [at[linked(k)].name for k in span.links]
        assert behind == ([f"process {span.process_group}"] if span.handoff_from else [])


def test_several_workers_and_ways_have_a_producer_each_and_one_consumer(declare: Any) -> None:
    module = declare(
        """
        @node
        def fork(a: A) -> list[B | C]: return [B(a.n), C(a.n)]
        @node
        def left(b: B) -> D: return D(str(b.n))
        """
        "\n        @node\n        def right(c: C) -> D: return D(str(c.n))"
    )
    placement = {"left": "l", "right": "r", "sink:sink": "end"}
    seen = ran(module, 6, placement, workers={"l": 2}, batch_records=2)
    at = {(s.trace_id, s.span_id): s for s in seen.spans}
    ends = [s for s in seen.of("consumer") if s.process_group == "end"]
    assert len(ends) == 3
    for span in ends:
        before = [at[linked(k)] for k in span.links]
        assert sorted(s.process_group for s in before) == ["l", "r"]
        assert span.parent_id == before[0].span_id
    assert len(seen.of("producer")) == sum(len(s.links) for s in seen.of("consumer"))


def test_what_stays_with_its_worker_is_no_hop(declare: Any) -> None:
    module = declare(CHAIN)
    everything = dict.fromkeys(["source:source", "one", "two", "three", "sink:sink"], "a")
    assert {s.kind for s in ran(module, placement=everything).spans} == {"internal"}
    alone = Collected()
    run_application([module.__name__], [module.A(1)], observers=[alone])
    assert {s.kind for s in alone.spans} == {"internal"}


def test_a_producer_links_as_many_records_as_an_sdk_keeps_and_a_record_always(declare: Any) -> None:
    seen = ran(declare(CHAIN), 300)
    send = next(s for s in seen.spans if s.name == "send x")
    assert len(send.links) == 128
    assert send.attributes["messaging.batch.message_count"] == 300
    assert sum(bool(s.links) for s in seen.of("internal") if s.name == "one") == 300


def test_a_hop_without_a_sampled_record_has_no_spans(declare: Any) -> None:
    seen = ran(declare(CHAIN), 2000, batch_records=10, sampling_ratio=0.01)
    batches = {(s.sequence - 1) // 10 for s in seen.of("internal")}
    assert {(s.sequence - 1) // 10 for s in seen.of("producer")} == batches
    passed = {(s.sequence - 1) // 10 for s in seen.of("internal") if s.name == "three"}
    assert {(s.sequence - 1) // 10 for s in seen.of("consumer") if s.name == "process z"} == passed
    assert 0 < len(passed) < len(batches) < 30


def test_hops_have_the_same_ids_in_every_run_and_none_of_a_record(declare: Any) -> None:
    module = declare(CHAIN)
    first, again, other = (ran(module, run_id=run, batch_records=2) for run in ("r", "r", "s"))

    def ids(seen: Collected) -> list[tuple[str, str]]:
        return [(s.trace_id, s.span_id) for s in seen.spans if s.kind != "internal"]

    assert ids(first) == ids(again)
    assert len({*ids(first), *ids(other)}) == 2 * len(ids(first)) == 24
    records = TraceIds("r")
    assert {records.sequence_of(trace) for trace, _ in ids(first)} == {None}
