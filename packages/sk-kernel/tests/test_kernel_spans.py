"""Spans: one tree a record, the same ids in every placement, and no cost without an observer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pytest
from kernel_spans import OfRecords
from sk_kernel import Envelope, NodeFailedError
from sk_kernel._batch.batch import sampled_rows
from sk_kernel.runtime import ApplicationContext, Key, MemoryRun, SegmentRunner
from sk_kernel.testing import run_application, run_placed

GRAPH = """
@source(bridge="in_bridge")
class Numbers:
    def open(self): ...
    def read(self, max_records, max_bytes) -> list[int]:
        given, self.left = self.left[:max_records], self.left[max_records:]
        return given
    left = list(range(1, 6))
    def decode(self, raw) -> list[A]: return [A(n) for n in raw]
    def interrupt(self): ...
    def close(self): ...

@sink(name="out", bridge="out_bridge")
class Out:
    def open(self): ...
    def encode(self, payloads: list[D]) -> bytes: return b""
    def write(self, chunk): ...
    def commit(self): ...
    def abort(self): ...
    def partial_outputs(self): return ()
    def summary(self): return {}

@node
def split(a: A) -> B | D:
    return D("short") if a.n == 3 else B(a.n)
@node
def change(b: B) -> C: return C(b.n)
@node
def form(c: C) -> D: return D(str(c.n))
"""


def test_a_record_is_a_tree_from_source_to_sink_bridges_included(
    declare: Any, spec_of: Any
) -> None:
    seen = OfRecords()
    MemoryRun(ApplicationContext(spec_of(declare(GRAPH))), "run", observers=[seen]).run()
    assert seen.tree(1) == {
        "source:source": None,
        "in_bridge": "source:source",
        "split": "in_bridge",
        "change": "split",
        "form": "change",
        "out_bridge": "form",
        "sink:sink": "out_bridge",
    }
    assert seen.tree(3)["out_bridge"] == "split"
    assert len({span.trace_id for span in seen.spans}) == 5
    assert all(0 < span.start_ns <= span.end_ns for span in seen.spans)
    assert seen.closed == 1


@pytest.mark.contract("P5PRE-OBS-06")
def test_spans_carry_group_hop_and_handoff(declare: Any) -> None:
    module = declare(GRAPH)
    seen = OfRecords()
    given = [module.A(1), module.A(3)]
    placement = {"split": "one", "change": "two", "form": "two", "sink:sink": "three"}
    run_placed([module.__name__], given, placement, observers=[seen])
    carried = {s.name: (s.process_group, s.route_hop) for s in seen.spans}
    assert carried == {
        "source:source": ("main", 0),
        "split": ("one", 1),
        "change": ("two", 2),
        "form": ("two", 2),
        "sink:sink": ("three", 3),
    }
    first = {s.name: s.handoff_from for s in seen.spans if s.sequence == 1}
    assert first == {
        "source:source": None,
        "split": "main",
        "change": "one",
        "form": None,
        "sink:sink": "two",
    }
    (short,) = [s for s in seen.spans if s.name == "sink:sink" and s.sequence == 2]
    assert short.handoff_from == "one"


BRANCHING = """
@node
def fork(a: A) -> list[B | C]: return [B(a.n), C(a.n), B(a.n + 10)]
@node
def left(b: B) -> D: return D(f"left {b.n}")
@node
def right(b: B | C) -> D: return D(f"right {b.n}")
"""


@pytest.mark.contract("P5PRE-ENV-01")
def test_every_placement_gives_the_same_ids_with_parents_that_exist(declare: Any) -> None:
    module = declare(BRANCHING)
    given = [module.A(n) for n in range(7)]
    seen = OfRecords(), OfRecords()
    run_application([module.__name__], given, observers=[seen[0]], batch_records=3)
    placement = {"fork": "x", "left": "y", "right": "z"}
    run_placed([module.__name__], given, placement, observers=[seen[1]], batch_records=2)
    edges = [{(s.trace_id, s.span_id, s.parent_id, s.name) for s in each.spans} for each in seen]
    assert edges[0] == edges[1]
    known = {span.span_id for span in seen[0].spans}
    assert len(known) == len(seen[0].spans) == 7 * 12
    assert all(s.parent_id in known or s.name == "source:source" for s in seen[0].spans)


def test_a_trace_id_of_the_source_is_that_of_the_whole_tree(declare: Any) -> None:
    module = declare(GRAPH)
    seen = OfRecords()
    given = [Envelope(module.A(1), trace_id="ab" * 16), module.A(2)]
    run_application([module.__name__], given, observers=[seen])
    assert {s.trace_id for s in seen.spans if s.sequence == 1} == {"ab" * 16}
    assert seen.tree(1)["split"] == "source:source"


def test_a_trace_id_that_a_node_gives_begins_a_new_tree(declare: Any) -> None:
    module = declare(
        """
        @node
        def first(a: A) -> Envelope[B]: return Envelope(B(a.n), trace_id="cd" * 16)
        @node
        def second(b: B) -> C: return C(b.n)
        @node
        def third(c: C) -> D: return D(str(c.n))
        """
    )
    seen = OfRecords()
    placement = {"second": "x", "third": "y"}
    run_placed([module.__name__], [module.A(1)], placement, observers=[seen])
    assert seen.tree(1) == {
        "source:source": None,
        "first": "source:source",
        "second": None,
        "third": "second",
        "sink:sink": "third",
    }
    assert {s.name for s in seen.spans if s.trace_id == "cd" * 16} == {
        "second",
        "third",
        "sink:sink",
    }


def test_a_failing_node_leaves_its_span_with_the_cause(declare: Any) -> None:
    module = declare("@node\ndef f(a: A) -> D:\n    assert a.n != 2\n    return D('x')")
    seen = OfRecords()
    with pytest.raises(NodeFailedError):
        run_application([module.__name__], [module.A(1), module.A(2)], observers=[seen])
    errors = {(s.sequence, s.error) for s in seen.spans if s.name == "f"}
    assert errors == {(1, None), (2, "AssertionError")}
    assert seen.closed == 1


@pytest.mark.parametrize("ratio", [0.0, 0.02, 0.3])
def test_observers_hear_of_sampled_records_only_and_once_a_batch(
    declare: Any, ratio: float
) -> None:
    module = declare(GRAPH)
    seen = OfRecords()
    given = [module.A(n) for n in range(1000)]
    observed: dict[str, Any] = {"observers": [seen], "sampling_ratio": ratio}
    run_application([module.__name__], given, batch_records=100, **observed)
    sequences = {span.sequence for span in seen.spans}
    assert abs(len(sequences) - 1000 * ratio) <= 3
    assert len(seen.spans) == sum(len(seen.tree(n)) for n in sequences)
    assert seen.calls <= 10


class CountingKeys(Sequence[Key]):
    """Keys that count how often one of them is looked at."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys
        self.looks = 0

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        return self._keys[index]


def test_finding_the_sampled_looks_at_few_of_the_others() -> None:
    keys = CountingKeys(range(1, 100_001))
    rows = sampled_rows(keys, frozenset({5, 70_000}))
    assert rows == [4, 69_999]
    assert keys.looks < 60


def test_a_run_without_observers_calls_nothing_of_the_kernel_a_record(
    declare: Any, spec_of: Any
) -> None:
    """By counting every call into the package while a batch of 1000 records is run."""
    module = declare(GRAPH)
    module.Numbers.left = list(range(10, 1010))
    run = MemoryRun(ApplicationContext(spec_of(module)), "run")
    own = SegmentRunner.__module__.partition(".")[0]
    calls: dict[str, int] = {}

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith(own):
            name = frame.f_code.co_qualname
            calls[name] = calls.get(name, 0) + 1

    sys.setprofile(profile)
    try:
        report = run.run()
    finally:
        sys.setprofile(None)
    assert report.records_in == 1000
    assert report.batches == 1
    assert not any(name.startswith("Tracer") for name in calls)
    assert max(calls.values()) < 100, calls
