"""Spans of the kernel's own tracer, over two groups, in one file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sk_kernel import AdapterSettings, ApplicationSpec
from sk_kernel.runtime import (
    SINK,
    SOURCE,
    ApplicationContext,
    Batch,
    Identity,
    MemoryRun,
    SegmentRunner,
    TraceIds,
    Tracer,
    make_plan,
)
from sk_observability import Outlet, SpanFanOut, build_span_exporters

NODES = """
from collections.abc import Iterator
from dataclasses import dataclass
from sk_kernel import node, sink, source

@dataclass
class Line:
    text: str

@dataclass
class Word:
    text: str

@source()
def three() -> Iterator[Line]:
    yield from (Line("a"), Line("b"), Line("c"))

@node
def parse(line: Line) -> Word:
    return Word(line.text)

@sink()
def nowhere(word: Word) -> None:
    pass
"""


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApplicationContext]:
    """Source, one node, sink."""
    (tmp_path / "observability_shop.py").write_text(NODES)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield ApplicationContext(
        ApplicationSpec(
            scenario="shop",
            discovery_modules=["observability_shop"],
            source=AdapterSettings("three"),
            sink=AdapterSettings("nowhere"),
        )
    )
    sys.modules.pop("observability_shop", None)


@pytest.mark.contract("P5PRE-OBS-06")
def test_spans_in_the_file_say_their_group_where_they_came_from_and_how_many_hops(
    tmp_path: Path,
    application: ApplicationContext,
    lines_of: Callable[[Path], list[dict[str, Any]]],
) -> None:
    path = tmp_path / "spans.jsonl"
    placement = {SOURCE: "front", "parse": "front", SINK: "back"}
    plan = make_plan(application.graph, placement, application.all_states)
    ids = TraceIds("run-1", 1.0)
    batch = Batch(1, 1, 2)
    batch.sampled = ids.sampled(1, 2)
    payloads = [sys.modules["observability_shop"].Line(text) for text in "ab"]
    arrivals: Any = None
    for segment in plan.segments:
        exporters = build_span_exporters([("jsonl", {"path": str(path)})], worker=segment.group)
        tracer = Tracer(plan, ids, [SpanFanOut(exporters)])
        runner = SegmentRunner(
            application,
            plan,
            segment,
            application.container(),
            Identity("run-1", "shop", segment.group, ids),
            tracer=tracer,
            write=lambda _: None,
        )
        left = runner.run(batch, arrivals) if arrivals else runner.read(batch, payloads)
        arrivals = left.get(segment.index + 1)
        tracer.close()
    markers = ("name", "sequence", "process_group", "handoff_from", "route_hop", "worker")
    assert [tuple(line[key] for key in markers) for line in lines_of(path)] == [
        ("parse", 1, "front", None, 0, "front"),
        ("parse", 2, "front", None, 0, "front"),
        (SINK, 1, "back", "front", 1, "back"),
        (SINK, 2, "back", "front", 1, "back"),
    ]


def test_a_memory_run_with_a_failing_exporter_is_complete_and_no_span_unaccounted_for(
    tmp_path: Path,
    application: ApplicationContext,
    keeping: Any,
    lines_of: Callable[[Path], list[dict[str, Any]]],
) -> None:
    path = tmp_path / "spans.jsonl"
    broken = Outlet("broken", keeping(*[OSError("down")] * 100))
    fan_out = SpanFanOut([broken, *build_span_exporters([("jsonl", {"path": str(path)})])])
    report = MemoryRun(application, "run-1", observers=[fan_out]).run()
    assert (report.outcome, report.records_in, report.records_out) == ("completed", 3, 3)
    lost, written = fan_out.counts()
    assert lost.created == written.created == 9  # source, node and sink, of three records
    assert (lost.exported, lost.dropped) == (0, {"OSError": 9})
    assert written.exported == len(lines_of(path)) == 9
