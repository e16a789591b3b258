"""What becomes of services at the end of a run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sk_kernel import AdapterFailedError, DefinitionError, NodeFailedError, ResolutionError
from sk_kernel.runtime import ApplicationContext, MemoryRun
from sk_kernel.testing import run_node, run_placed, run_sink, run_source

SERVED = """
TOLD = []
@service
class Base:
    def close(self): TOLD.append("base")
@service
class Client:
    def __init__(self, base: Base): self.loop = None
    async def close(self): TOLD.append(("client", self.loop is asyncio.get_running_loop()))
@service
class Unused:
    def close(self): TOLD.append("unused")
@source
class numbers:
    left = 3
    def read(self, max_records: int, max_bytes: int) -> Sequence[A]:
        self.left -= 1
        return [A(self.left)] if self.left >= 0 else ()
    def interrupt(self) -> None: ...
    def close(self) -> None: TOLD.append("source")
@node(name="ask")
async def ask(a: A, client: Client) -> D:
    assert a.n != FAILS_AT
    client.loop = asyncio.get_running_loop()
    return D(str(a.n))
@sink
class out:
    def write(self, chunk: list[D]) -> None: ...
    def commit(self) -> None: TOLD.append("commit")
    def abort(self) -> None: TOLD.append("abort")
"""


def run_of(module: Any, spec_of: Any) -> MemoryRun:
    return MemoryRun(ApplicationContext(spec_of(module)), "r")


def test_services_are_closed_behind_all_the_last_made_first_in_the_loop_of_the_nodes(
    declare: Any, spec_of: Any
) -> None:
    module = declare(SERVED, FAILS_AT=None)
    run_of(module, spec_of).run()
    assert module.TOLD == ["source", "commit", ("client", True), "base"]


def test_services_are_closed_behind_a_run_that_failed(declare: Any, spec_of: Any) -> None:
    module = declare(SERVED, FAILS_AT=1)
    with pytest.raises(NodeFailedError):
        run_of(module, spec_of).run()
    assert module.TOLD == ["source", "abort", ("client", True), "base"]


@pytest.mark.parametrize("error", ["OSError('gone')", "SystemExit('gone')"])
def test_what_a_close_raises_is_warned_of_and_the_others_are_closed(
    declare: Any, spec_of: Any, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = SERVED.replace('TOLD.append(("client"', f'raise {error}; TOLD.append(("client"')
    module = declare(text, FAILS_AT=None)
    with caplog.at_level(logging.WARNING, "sk_kernel"):
        assert run_of(module, spec_of).run().outcome == "completed"
    assert module.TOLD == ["source", "commit", "base"]
    (told,) = caplog.messages
    assert told.startswith(f"service client: its close() raised {error.partition('(')[0]}: gone")


UNMADE = """
CLOSED = []
@service
class Client:
    def close(self): CLOSED.append("client")
@source()
def numbers(client: Client) -> Iterator[A]: yield A(1)
@node
class Wrong:
    def __init__(self, client: Client): raise ValueError
    def __call__(self, a: A) -> D: return D("")
@source(name="unmade")
class Unmade:
    def __init__(self, client: Client): raise ValueError
    def read(self, max_records: int, max_bytes: int) -> Sequence[A]: return ()
    def interrupt(self) -> None: ...
    def close(self) -> None: ...
@sink
class out:
    def __init__(self, client: Client): raise ValueError
    def write(self, chunk: list[D]) -> None: ...
    def commit(self) -> None: ...
    def abort(self) -> None: ...
"""


@pytest.mark.parametrize(
    "run",
    [
        lambda module, spec_of: run_of(module, spec_of),
        lambda module, _: run_placed([module.__name__], [module.A(1)], {"wrong": "x"}),
        lambda module, _: run_node(module.Wrong, module.A(1)),
        lambda module, _: run_source(module.Unmade),
        lambda module, _: run_sink(module.out, module.D("")),
    ],
    ids=["memory", "placed", "node", "source", "sink"],
)
def test_services_are_closed_when_what_needs_them_cannot_be_created(
    declare: Any, spec_of: Any, run: Callable[[Any, Any], object]
) -> None:
    module = declare(UNMADE)
    with pytest.raises((ResolutionError, AdapterFailedError)):
        run(module, spec_of)
    assert module.CLOSED
    assert set(module.CLOSED) == {"client"}


def test_the_failure_of_a_construction_is_told_before_services_are_closed(
    declare: Any, spec_of: Any
) -> None:
    module, said = declare(UNMADE), []
    application = ApplicationContext(spec_of(module))
    with pytest.raises(AdapterFailedError) as raised:
        MemoryRun(application, "r", on_end=lambda error, _: said.append((error, *module.CLOSED)))
    assert said == [(raised.value,)]
    assert module.CLOSED == ["client"]


def test_an_interrupt_while_services_are_closed_does_not_replace_the_failure_of_a_construction(
    declare: Any, spec_of: Any
) -> None:
    module = declare(UNMADE.replace('CLOSED.append("client")', "raise KeyboardInterrupt"))
    with pytest.raises(AdapterFailedError) as raised:
        run_of(module, spec_of)
    assert raised.value.__notes__ == ["and then: the closing of services raised KeyboardInterrupt"]


def test_a_run_that_is_closed_before_it_has_begun_closes_its_services_once(
    declare: Any, spec_of: Any
) -> None:
    module = declare(SERVED, FAILS_AT=None)
    run = run_of(module, spec_of)
    run._parts._container.resolve(module.Client).loop = None
    run.close()
    run.close()
    assert module.TOLD == [("client", False), "base"]


def test_a_run_that_has_ended_has_nothing_to_close(declare: Any, spec_of: Any) -> None:
    module = declare(SERVED, FAILS_AT=None)
    run = run_of(module, spec_of)
    run.run()
    run.close()
    assert module.TOLD == ["source", "commit", ("client", True), "base"]


def test_services_that_a_request_still_uses_are_left_open_with_a_warning(
    declare: Any, spec_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    module = declare(SERVED, FAILS_AT=None)
    application = ApplicationContext(spec_of(module))
    run = MemoryRun(application, "r", on_end=lambda *_: run.turn.acquire())
    with caplog.at_level(logging.WARNING, "sk_kernel"):
        run.run()
    assert module.TOLD == ["source", "commit"]
    (told,) = caplog.messages
    assert told.startswith("a request is still in a node 1 s after the end of the run")
    run._parts.close()


def test_every_group_of_a_placement_closes_its_own(declare: Any) -> None:
    module = declare(
        """
        CLOSED = []
        @service
        class Client:
            def close(self): CLOSED.append(self)
        @node
        def one(a: A, client: Client) -> B: return B(a.n)
        @node
        def two(b: B, client: Client) -> D: return D(str(b.n))
        """
    )
    run_placed([module.__name__], [module.A(1)], {"two": "x"})
    assert len(module.CLOSED) == len({id(each) for each in module.CLOSED}) == 2


@pytest.mark.parametrize(
    ("close", "problem"),
    [
        ("def close(self, how): ...", "without arguments"),
        ("def close(self): yield", "nobody iterates"),
        ("async def close(self): yield", "nobody iterates"),
    ],
)
def test_a_close_that_could_not_be_called_is_refused(
    declare: Any, close: str, problem: str
) -> None:
    with pytest.raises(DefinitionError, match=problem):
        declare(f"@service\nclass Client:\n    {close}")
