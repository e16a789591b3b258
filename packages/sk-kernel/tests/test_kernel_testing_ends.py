"""The test kit: one source alone, and one sink."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sk_kernel import (
    AdapterFailedError,
    DefinitionError,
    NodeFailedError,
    NodeOutputError,
    PreflightError,
    ResolutionError,
)
from sk_kernel.testing import run_node, run_placed, run_sink, run_source

ENDS = """
import threading
from sk_kernel import CheckError

class Model(msgspec.Struct):
    count: int
@service
class Clock:
    now = 1
class Fake(Clock):
    now = 9
class Port: ...
@source()
def dials(port: Port) -> Iterator[A]: yield A(1)
@source
class Ticks:
    at_end = []
    def __init__(self, settings: Model, clock: Clock) -> None:
        self.left, self.now = settings.count, clock.now
        self.stopped = threading.Event()
    @classmethod
    def check(cls, settings: Model) -> None:
        if settings.count < 0: raise CheckError("count", "is below nothing")
    def open(self) -> None: self.is_open = True
    def read(self, max_records: int, max_bytes: int) -> Sequence[A]:
        if not self.left: self.stopped.wait()
        if self.stopped.is_set(): return ()
        taken, self.left = min(max_records, self.left), max(0, self.left - max_records)
        return [A(self.now) for _ in range(taken)]
    def interrupt(self) -> None: self.stopped.set()
    def close(self) -> None: Ticks.at_end.append(self.is_open)
@source()
def brief() -> Iterator[A | None]:
    yield A(1)
    yield None
    yield A(2)
@source()
def waits() -> Iterator[A]:
    yield A(1)
    waiting.wait()
@source()
def wrong() -> Iterator[A]: yield B(1)

@sink
class Report:
    done = []
    def __init__(self, settings: Model) -> None: self.got, self.count = [], settings.count
    @classmethod
    def check(cls, settings: Model) -> None: Ticks.check(settings)
    def write(self, chunk: list[A | B]) -> None:
        if self.count and chunk[0].n > self.count: raise ValueError(chunk)
        self.got.append(len(chunk))
    def commit(self) -> None: Report.done.append("commit")
    def abort(self) -> None: Report.done.append("abort")
    def partial_outputs(self) -> tuple[str, ...]: return ("draft",)
    def summary(self) -> dict[str, int]: return {"chunks": len(self.got)}
@node
def taker(a: A) -> B: return B(a.n)
"""


@pytest.fixture
def m(declare: Any) -> Any:
    return declare(ENDS, waiting=threading.Event())


def test_a_source_is_read_to_its_end(m: Any) -> None:
    assert run_source(m.brief) == [m.A(1), m.A(2)]


def test_a_source_that_waits_for_records_is_interrupted_from_another_thread(m: Any) -> None:
    assert (
        run_source(
            m.Ticks,
            settings={"count": 3},
            services=[m.Fake()],
            batch_records=2,
            interrupt_after=3,
        )
        == [m.A(9)] * 3
    )
    assert m.Ticks.at_end == [True]


def test_a_source_that_does_not_heed_an_interrupt_is_told(m: Any) -> None:
    with pytest.raises(AdapterFailedError, match="not returned a second after interrupt"):
        run_source(m.waits, interrupt_after=1)
    m.waiting.set()


def test_a_source_that_ends_before_is_not_interrupted(m: Any) -> None:
    assert run_source(m.brief, interrupt_after=9) == [m.A(1), m.A(2)]


def test_a_service_that_is_not_given_is_made_as_in_a_run(m: Any) -> None:
    assert run_source(m.Ticks, settings={"count": 2}, interrupt_after=2) == [m.A(1)] * 2


def test_a_source_is_held_to_its_settings_services_and_types(m: Any) -> None:
    with pytest.raises(PreflightError, match=r"adapters\.source\.settings\.count: missing"):
        run_source(m.Ticks)
    with pytest.raises(PreflightError, match=r"settings\.count: adapter: is below nothing"):
        run_source(m.Ticks, settings=m.Model(-1))
    with pytest.raises(ResolutionError, match=r"dials asks for Port: .*services="):
        run_source(m.dials)
    with pytest.raises(NodeOutputError, match="'source:source' returned B on record 1"):
        run_source(m.wrong)


def test_a_sink_is_given_its_batches_and_commits(m: Any) -> None:
    outcome = run_sink(m.Report, *[m.A(1)] * 5, settings={"count": 0}, batch_records=2)
    assert (outcome.summary, outcome.partial_outputs) == ({"chunks": 3}, ())
    assert m.Report.done == ["commit"]


def test_a_sink_of_a_run_that_failed_aborts_and_says_what_it_leaves(m: Any) -> None:
    outcome = run_sink(m.Report, m.A(1), settings={"count": 0}, abort=True)
    assert outcome.partial_outputs == ("draft",)
    assert m.Report.done == ["abort"]


def test_a_sink_that_raises_is_aborted(m: Any) -> None:
    with pytest.raises(AdapterFailedError, match=r"failed to write: ValueError$"):
        run_sink(m.Report, m.A(3), settings={"count": 2})
    assert m.Report.done == ["abort"]


def test_a_sink_is_held_to_its_settings_and_types(m: Any) -> None:
    with pytest.raises(PreflightError, match=r"adapters\.sink\.settings\.count: adapter"):
        run_sink(m.Report, settings={"count": -1})
    with pytest.raises(PreflightError, match=r"sink:sink: wrong_type: .* one of A, B; got D"):
        run_sink(m.Report, m.D("x"), settings={"count": 0})


def test_what_is_no_end_is_told(m: Any) -> None:
    with pytest.raises(DefinitionError, match="'taker': has no @source"):
        run_source(m.taker)
    with pytest.raises(DefinitionError, match="'brief': has no @sink"):
        run_sink(m.brief)


def test_workers_of_a_group_that_is_not_there_are_refused(m: Any) -> None:
    known = r"^workers\.on: unknown_group: expected one of main, one \(did you mean one\?\)$"
    with pytest.raises(PreflightError, match=known):
        run_placed([m.__name__], [m.A(1)], {"taker": "one"}, workers={"on": 2})


def test_a_breakpoint_that_nobody_can_answer_comes_with_a_hint(declare: Any) -> None:
    module = declare("import bdb\n@node\ndef f(a: A) -> B: raise bdb.BdbQuit")
    with pytest.raises(NodeFailedError, match=r"raised BdbQuit on record 1: .*mode=inline"):
        run_node(module.f, module.A(1))


def test_a_node_is_not_called_with_what_never_comes_to_it(m: Any) -> None:
    with pytest.raises(PreflightError, match=r"taker: wrong_type: .* one of A; got str"):
        run_node(m.taker, m.A(1), "x")


def test_the_read_that_is_interrupted_has_the_context_variables_of_the_test(declare: Any) -> None:
    module = declare(
        """
        import threading
        from contextvars import ContextVar
        SET = ContextVar("SET", default=0)
        @source
        class Found:
            def __init__(self) -> None:
                self.given, self.stopped = 0, threading.Event()
            def read(self, max_records: int, max_bytes: int) -> Sequence[A]:
                self.given += 1
                if self.given == 2: self.stopped.wait()
                return [A(SET.get())] if self.given < 3 else ()
            def interrupt(self) -> None: self.stopped.set()
        """
    )
    module.SET.set(6)
    assert run_source(module.Found, interrupt_after=1) == [module.A(6), module.A(6)]
