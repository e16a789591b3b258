"""What a stop is to an unbounded source: the end of its input, where it drains; else a cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType

import pytest
from msgspec.structs import replace
from sk_kernel import (
    AdapterFailedError,
    AdapterSettings,
    ApplicationSpec,
    DefinitionError,
    NodeFailedError,
    source,
)
from sk_kernel.runtime import ApplicationContext, MemoryRun

GRAPH = """
@source(name="numbers", unbounded=UNBOUNDED)
class In:
    def read(self, max_records, max_bytes) -> Sequence[A]:
        if "interrupt" not in said:
            return [A(1)]
        return []
    def interrupt(self):
        said.append("interrupt")
        if FAILS == "interrupt": raise OSError("lost")
@source(name="given", unbounded=UNBOUNDED)
def given() -> Iterator[A]:
    for n in range(5): yield A(n)
    hook()
    yield A(5)
@sink(name="out")
class Out:
    def write(self, chunk: list[B]): stop()
    def commit(self): said.append("commit")
    def abort(self): said.append("abort")
@node
class Change:
    def __call__(self, a: A) -> B:
        if FAILS == "node": raise ValueError
        return B(a.n)
    def finish(self) -> None: said.append("finish")
"""
Made = Callable[..., tuple[list[str], MemoryRun]]


def stop(run: MemoryRun) -> None:
    """As another thread does: what it raises does not end the work."""
    with suppress(AdapterFailedError):
        run.stop()


@pytest.fixture
def made(declare: Callable[..., ModuleType], spec_of: Callable[..., ApplicationSpec]) -> Made:
    def make(
        *, unbounded: bool = True, fails: str = "", source: str = "numbers"
    ) -> tuple[list[str], MemoryRun]:
        said: list[str] = []
        names = {
            "UNBOUNDED": unbounded,
            "FAILS": fails,
            "stop": lambda: source == "numbers" and "interrupt" not in said and stop(run),
            "hook": lambda: run.leave_source(),
        }
        spec = spec_of(declare(GRAPH, said=said, **names))
        spec = replace(spec, source=AdapterSettings(source))
        run = MemoryRun(ApplicationContext(spec), "r")
        return said, run

    return make


@pytest.mark.parametrize(
    ("unbounded", "outcome", "last"), [(True, "completed", "commit"), (False, "stopped", "abort")]
)
def test_a_drained_stop_completes_the_run_of_an_unbounded_source_alone(
    made: Made, unbounded: bool, outcome: str, last: str
) -> None:
    said, run = made(unbounded=unbounded)
    assert run.run().outcome == outcome
    assert said == ["interrupt", "finish", last]


def test_a_stop_before_the_start_completes_nothing(made: Made) -> None:
    said, run = made()
    run.stop()
    assert run.run().outcome == "stopped"
    assert said[-1] == "abort"


def test_a_failure_aborts_the_sink_of_an_unbounded_source(made: Made) -> None:
    said, run = made(fails="node")
    with pytest.raises(NodeFailedError):
        run.run()
    assert said == ["abort"]


def test_an_interrupt_that_fails_completes_nothing(made: Made) -> None:
    said, run = made(fails="interrupt")
    assert run.run().outcome == "stopped"
    assert said == ["interrupt", "finish", "abort"]


def test_what_a_generator_has_given_is_not_lost_where_its_read_is_broken_off(made: Made) -> None:
    _, run = made(source="given")
    report = run.run()
    assert (report.outcome, report.records_in, report.records_out) == ("completed", 5, 5)


@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_unbounded_is_true_or_false(wrong: object) -> None:
    with pytest.raises(DefinitionError, match="unbounded must be True or False"):

        @source(unbounded=wrong)  # type: ignore[call-overload]
        def numbers() -> Iterator[int]:
            yield 1
