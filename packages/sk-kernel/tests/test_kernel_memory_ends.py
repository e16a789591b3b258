"""The memory profile's hooks and ends: when requests may come, and what is left of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import ModuleType, TracebackType
from typing import Any

import pytest
from sk_kernel import ApplicationSpec, NodeFailedError, NodeSpan
from sk_kernel.runtime import SOURCE, WHOLE, ApplicationContext, Edge, MemoryRun, Visit

GRAPH = """
@source(name="numbers")
class In:
    def open(self): said.append("source open")
    def read(self, max_records, max_bytes) -> Sequence[A]:
        said.append("read")
        return [A(n) for n in range(2)] if said.count("read") == 1 else []
    def interrupt(self): ...
    def close(self): ...
@sink(name="out")
class Out:
    def open(self): said.append("sink open")
    def write(self, chunk: list[B]): ...
    def commit(self): said.append("commit")
    def abort(self): said.append("abort")
    def partial_outputs(self):
        said.append("asked")
        return ("left",)
    def summary(self): return {}
@node
async def change(a: A) -> B:
    if a.n == fails: raise ValueError
    return B(a.n)
"""
Made = Callable[..., tuple[list[str], ApplicationContext]]


@pytest.fixture
def made(declare: Callable[..., ModuleType], spec_of: Callable[..., ApplicationSpec]) -> Made:
    def make(fails: int = -1) -> tuple[list[str], ApplicationContext]:
        said: list[str] = []
        return said, ApplicationContext(spec_of(declare(GRAPH, said=said, fails=fails)))

    return make


class Seen:
    """An observer: the sequences of the spans that come together."""

    def __init__(self, closing: BaseException | None = None) -> None:
        self.together: list[set[int]] = []
        self._closing = closing

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        self.together.append({span.sequence for span in spans})

    def close(self) -> None:
        if self._closing is not None:
            raise self._closing


def test_a_run_says_when_it_is_open_and_when_it_is_over(made: Made) -> None:
    said, application = made()
    run = MemoryRun(
        application,
        "r",
        on_open=lambda _: said.append("opened"),
        on_input_end=lambda: said.append("no input"),
        on_end=lambda *_: said.append("over"),
    )
    run.run()
    assert said == [
        "source open",
        "sink open",
        "asked",
        "opened",
        "read",
        "read",
        "no input",
        "commit",
        "over",
    ]


#: Of a source that makes an error of its own of what breaks into its read.
WRAPPED = """try: said.append("read")
        except KeyboardInterrupt as error: raise ValueError from error"""


@pytest.mark.parametrize("text", [GRAPH, GRAPH.replace('said.append("read")', WRAPPED, 1)])
def test_a_read_that_is_broken_off_ends_the_input_behind_what_the_source_has_given(
    declare: Callable[..., ModuleType], spec_of: Callable[..., ApplicationSpec], text: str
) -> None:
    """As a signal's handler does it, in the midst of the second read; elsewhere it does nothing."""

    class Said(list[str]):
        def append(self, what: str) -> None:
            super().append(what)
            if self.count("read") != 1:
                run.leave_source()

    said = Said()
    run = MemoryRun(ApplicationContext(spec_of(declare(text, said=said, fails=-1))), "r")
    report = run.run()
    assert (report.outcome, report.records_in, report.records_out) == ("stopped", 2, 2)
    assert said == ["source open", "sink open", "asked", "read", "read", "abort", "asked"]


def test_a_run_that_fails_says_so_before_it_closes_anything(made: Made) -> None:
    said, application = made(fails=1)
    with pytest.raises(NodeFailedError):
        MemoryRun(application, "r", on_end=lambda *_: said.append("over")).run()
    assert said[-2:] == ["abort", "over"]


def test_behind_the_commit_there_is_no_unfinished_output_whatever_interrupts(made: Made) -> None:
    said, application = made()
    run = MemoryRun(application, "r", observers=[Seen(KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert run.partial_outputs() == ()
    assert said[-1] == "commit"  # and was asked nothing more


class Turn:
    """A turn; whoever is about to take it runs a request before that."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._lock, self._ask = threading.Lock(), ask
        self.acquire, self.release = self._lock.acquire, self._lock.release

    def __enter__(self) -> None:
        self._ask()
        self._lock.acquire()

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._lock.release()


def test_spans_of_a_batch_are_made_in_its_turn(made: Made) -> None:
    _, application = made()
    seen = Seen()
    run = MemoryRun(application, "r", observers=[seen])
    edge = Edge(SOURCE, application.graph.source.payload.types[0], "change", 0, 1)
    payload: Any = edge.payload.cls(7)
    visit = Visit("r1", WHOLE, edge, -1, payload, sampled=True)
    run.turn = Turn(lambda: list(run.requests.run([visit])))  # type: ignore[assignment]
    run.run()
    assert {-1} in seen.together
    assert not any(-1 in spans and len(spans) > 1 for spans in seen.together)
