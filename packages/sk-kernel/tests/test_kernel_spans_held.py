"""Spans of several batches are handed over together; none waits for a batch that may not come."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from sk_kernel import ApplicationSpec, FailureSpec, NodeFailure, NodeSpan
from sk_kernel._trace.observe import MOST_HANDED, MOST_NOTED
from sk_kernel.testing import run_application, run_placed

NODES = """
@node
def first(a: A) -> B: return B(a.n)
@node
def last(b: B) -> D: return D(str(b.n))
"""
PLACES = 4  # of each record: source, two nodes, sink


class Calls:
    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.ids: set[str] = set()
        self.errors: list[tuple[str, int, str]] = []

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        self.sizes.append(len(spans))
        self.ids.update(span.span_id for span in spans)
        self.errors += [(span.name, span.sequence, span.error) for span in spans if span.error]

    def close(self) -> None: ...


@pytest.fixture
def module(declare: Any) -> Any:
    return declare(NODES)


@pytest.fixture(autouse=True)
def no_wait_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a slow machine hands spans over by their age, before there are many."""
    monkeypatch.setattr("sk_kernel._trace.observe.LONGEST_NS", sys.maxsize)


def _spec(module: Any) -> ApplicationSpec:
    return ApplicationSpec(scenario="test", discovery_modules=[module.__name__])


def test_spans_of_full_batches_are_handed_over_many_at_once(module: Any) -> None:
    """Those of a hundred small ones in one go, and of many in as few as there are hundreds."""
    few, many = Calls(), Calls()
    run_application(
        _spec(module), [module.A(n) for n in range(100)], batch_records=1, observers=[few]
    )
    assert few.sizes == [100 * PLACES]
    some = [module.A(n) for n in range(MOST_NOTED)]
    run_application(_spec(module), some, batch_records=64, observers=[many])
    assert many.sizes == [MOST_NOTED] * PLACES


def test_spans_whose_first_is_old_are_handed_over_though_they_are_few(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sk_kernel._trace.observe.LONGEST_NS", 0)  # each is as soon as it is there
    calls = Calls()
    some = [module.A(n) for n in range(12)]
    run_application(_spec(module), some, batch_records=4, observers=[calls])
    assert calls.sizes == [4 * PLACES] * 3


def test_a_wall_clock_that_is_set_back_holds_no_spans(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = count(2**60, -3_600_000_000_000)
    monkeypatch.setattr("sk_kernel._trace.observe.LONGEST_NS", 0)
    monkeypatch.setattr("time.time_ns", lambda: next(hours))
    calls = Calls()
    some = [module.A(n) for n in range(12)]
    run_application(_spec(module), some, batch_records=4, observers=[calls])
    assert calls.sizes == [4 * PLACES] * 3


def test_spans_behind_a_batch_that_is_not_full_are_handed_over_at_once(module: Any) -> None:
    """Its source had no more, and may have the run wait."""
    calls = Calls()
    run_application(
        _spec(module), [module.A(n) for n in range(5)], batch_records=4, observers=[calls]
    )
    assert calls.sizes == [5 * PLACES]
    calls = Calls()
    run_application(
        _spec(module), [module.A(n) for n in range(3)], batch_records=4, observers=[calls]
    )
    assert calls.sizes == [3 * PLACES]


def test_spans_that_are_held_are_the_same_as_those_that_are_not(module: Any) -> None:
    """Over several batches none is lost, told twice or given another id, hops among them."""
    one, other = Calls(), Calls()
    payloads = [module.A(n) for n in range(60)]
    run_placed(
        _spec(module), payloads, {"first": "a", "last": "b"}, batch_records=4, observers=[one]
    )
    assert sum(one.sizes) == len(one.ids)
    run_application(_spec(module), payloads, batch_records=4, observers=[other])
    assert sum(other.sizes) == len(other.ids)
    assert other.ids < one.ids


FAILING = """
@node
def first(a: A) -> D: raise ValueError
"""


def test_spans_of_failures_are_handed_over_as_early_as_others(declare: Any) -> None:
    """Else a flood of them would come to the exporters at once, and be more than they hold."""
    module, calls = declare(FAILING), Calls()
    spec = ApplicationSpec(
        scenario="test",
        discovery_modules=[module.__name__],
        failure=FailureSpec(default=NodeFailure(policy="skip")),
    )
    some = [module.A(n) for n in range(4 * MOST_NOTED)]
    run_application(
        spec, some, batch_records=MOST_NOTED // 4, observers=[calls], sampling_ratio=0.0
    )
    assert calls.sizes == [MOST_NOTED] * 4


def test_no_call_hands_over_more_than_its_bound_however_large_the_batch(module: Any) -> None:
    calls = Calls()
    some = [module.A(n) for n in range(MOST_HANDED)]
    run_application(_spec(module), some, batch_records=MOST_HANDED, observers=[calls])
    assert max(calls.sizes) == MOST_HANDED
    assert sum(calls.sizes) == PLACES * MOST_HANDED


EXITING = """
@node
def first(a: A) -> D: raise SystemExit(3)
"""


@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_a_node_that_ends_the_process_has_its_span_under_each_policy(
    declare: Any, policy: Any
) -> None:
    module, calls = declare(EXITING), Calls()
    spec = ApplicationSpec(
        scenario="test",
        discovery_modules=[module.__name__],
        failure=FailureSpec(default=NodeFailure(policy=policy)),
    )
    with pytest.raises(SystemExit):
        run_application(spec, [module.A(1)], observers=[calls])
    assert calls.errors == [("first", 1, "SystemExit")]
