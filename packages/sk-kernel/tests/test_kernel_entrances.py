"""A graph that serves: where requests come in, and under which keys."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel_requests import BRANCHING, FAILING, NODES, placed, spec
from sk_kernel import AdapterSettings, PreflightError, UnknownRouteError
from sk_kernel._graph.entrances import before_requests
from sk_kernel._graph.serving import ReplySink
from sk_kernel._record.envelope import root_of
from sk_kernel.runtime import SINK, SOURCE, ApplicationContext, Entrances, MemoryRun


@pytest.fixture
def entrances(declare: Callable[..., ModuleType]) -> Entrances:
    return Entrances(ApplicationContext(spec(declare(BRANCHING))).graph, "r")


def test_nodes_that_nothing_leads_to_are_entrances(declare: Callable[..., ModuleType]) -> None:
    module = declare(BRANCHING)
    context = ApplicationContext(spec(module))
    assert [t.cls for t in context.graph.consumed(SINK)] == [module.D]
    plan = placed(context, dict.fromkeys(NODES, "h"))
    first = plan.segment_of("several")
    assert plan.segment_of(SOURCE).downstream == (first.index,)  # for its watermarks


def test_nodes_that_nothing_leads_to_are_refused_with_any_other_source(
    declare: Callable[..., ModuleType],
) -> None:
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
    assert report.counters == {"dropped_unrequested": 2}


def test_where_nothing_was_dropped_no_counter_says_so() -> None:
    assert ReplySink().summary() == {}


def test_a_class_that_is_not_declared_does_not_go_to_a_process(entrances: Entrances) -> None:
    with pytest.raises(UnknownRouteError, match="send what it declares"):
        entrances.entry("several", bool)


@given(number=st.integers(1, 1 << 40), targets=st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_two_records_of_requests_have_one_key(
    entrances: Entrances, number: int, targets: int
) -> None:
    keys = [entrances.root(n, i, targets) for n in (number, number + 1) for i in range(targets)]
    assert len(set(keys)) == 2 * targets
    assert all(root_of(key) < 0 for key in keys)


@given(runs=st.lists(st.text(max_size=8), min_size=2, max_size=4, unique=True))
def test_of_several_runs_requests_of_one_number_have_other_keys_each(runs: list[str]) -> None:
    begins = [before_requests(run) for run in runs]
    assert len(set(begins)) == len(runs)
    assert all(-(1 << 53) <= begin < -(1 << 52) for begin in begins)
    assert begins == [before_requests(run) for run in runs]
