"""A sink's `close`: the last that is called of it, however the run ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import ModuleType

import pytest
from sk_kernel import AdapterFailedError, ApplicationSpec, NodeFailedError
from sk_kernel.runtime import ApplicationContext, MemoryRun
from sk_kernel.testing import run_sink

GRAPH = """
@source(name="numbers")
def numbers() -> Iterator[A]: yield A(1)
@service
class Client:
    def close(self): said.append("service")
@sink(name="out")
class Out:
    def __init__(self, client: Client): ...
    def open(self):
        said.append("open")
        if FAILS == "open": raise OSError("lost")
    def write(self, chunk: list[B]): ...
    def commit(self): said.append("commit")
    def abort(self): said.append("abort")
    def partial_outputs(self):
        said.append("asked")
        return ("left",)
    def summary(self):
        said.append("summary")
        return {}
    def close(self):
        said.append("close")
        if "close" in FAILS: raise OSError("gone")
@node
def change(a: A) -> B:
    if FAILS == "node": raise ValueError
    return B(a.n)
"""
Made = Callable[..., tuple[list[str], MemoryRun]]


@pytest.fixture
def made(declare: Callable[..., ModuleType], spec_of: Callable[..., ApplicationSpec]) -> Made:
    def make(fails: str = "") -> tuple[list[str], MemoryRun]:
        said: list[str] = []
        spec = spec_of(declare(GRAPH, said=said, FAILS=fails))
        return said, MemoryRun(ApplicationContext(spec), "r")

    return make


def test_a_sink_is_closed_last_and_services_behind_it(made: Made) -> None:
    said, run = made()
    run.run()
    assert said == ["open", "asked", "commit", "summary", "close", "service"]


def test_a_sink_is_closed_behind_its_abort_and_asked_nothing_any_more(made: Made) -> None:
    said, run = made("node")
    with pytest.raises(NodeFailedError):
        run.run()
    assert run.partial_outputs() == ("left",)
    assert said == ["open", "asked", "abort", "asked", "close", "service"]


def test_a_sink_that_fails_to_open_is_closed(made: Made) -> None:
    said, run = made("open")
    with pytest.raises(AdapterFailedError, match="failed to open: OSError: lost"):
        run.run()
    assert said == ["open", "close", "service"]


def test_a_close_that_fails_is_a_warning(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    said, run = made("close")
    with caplog.at_level(logging.WARNING, "sk_kernel"):
        assert run.run().outcome == "completed"
    assert "sink:sink: its close() raised OSError: gone" in caplog.text
    assert said[-1] == "service"


def test_the_test_kit_closes_a_sink(declare: Callable[..., ModuleType]) -> None:
    module = declare(GRAPH, said=(said := []), FAILS="")
    run_sink(module.Out, module.B(1))
    assert said == ["open", "commit", "summary", "close", "service"]
