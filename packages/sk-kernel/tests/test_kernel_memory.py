"""The memory profile: how a run ends, and what is left behind when it does not end well."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from sk_kernel import AdapterFailedError, NodeFailedError, NodeOutputError, Progress
from sk_kernel._declare.adapted import GeneratorSource
from sk_kernel.runtime import ApplicationContext, BatchLimits, MemoryRun

ADAPTERS = """
CALLS = []
RAISES = set()

class Disk(Exception): ...
RAISED = Disk

def done(action):
    CALLS.append(action)
    if action in RAISES:
        raise RAISED(f"{action} went wrong")

@source()
class Numbers:
    stop = False
    def open(self): done("source.open"); self.left = list(range(1, 11))
    def read(self, max_records, max_bytes) -> list[A]:
        done("source.read")
        if self.stop: return []
        given, self.left = self.left[:max_records], self.left[max_records:]
        return [A(n) for n in given]
    def interrupt(self): done("source.interrupt"); Numbers.stop = True
    def close(self): done("source.close")

@sink()
class Out:
    def open(self): done("sink.open"); self.got = []
    def encode(self, payloads: list[D]) -> str: done("sink.encode"); return "".join(d.text for d in payloads)
    def write(self, chunk): done("sink.write"); self.got.append(chunk)
    def commit(self): done("sink.commit")
    def abort(self): done("sink.abort")
    def partial_outputs(self): done("sink.partial"); return ["part"]
    def summary(self): done("sink.summary"); return {"chunks": len(self.got)}

FAIL_AT = None

@node
def f(a: A) -> D:
    if a.n == FAIL_AT: raise ZeroDivisionError("payload text")
    return D(str(a.n % 10))
"""  # noqa: E501


@pytest.fixture
def module(declare: Any) -> Any:
    return declare(ADAPTERS)


def run_of(module: Any, spec_of: Any, **options: Any) -> MemoryRun:
    options.setdefault("limits", BatchLimits(max_records=4))
    return MemoryRun(ApplicationContext(spec_of(module)), "run", **options)


def test_a_complete_run_commits_last_and_reports(module: Any, spec_of: Any) -> None:
    report = run_of(module, spec_of).run()
    assert (report.outcome, report.records_in, report.records_out) == ("completed", 10, 10)
    assert (report.batches, report.counters, report.partial_outputs) == (3, {"chunks": 3}, ())
    assert (report.run_id, report.scenario, report.profile) == ("run", "tests", "memory")
    ending = [c for c in module.CALLS if c in ("source.close", "sink.commit", "sink.abort")]
    assert ending == ["source.close", "sink.commit"]


def test_progress_comes_after_each_batch_and_ends_drained(module: Any, spec_of: Any) -> None:
    seen: list[Progress] = []
    run_of(module, spec_of, on_progress=seen.append).run()
    assert [(p.records_in, p.records_out, p.batches, p.state) for p in seen] == [
        (4, 4, 1, "running"),
        (8, 8, 2, "running"),
        (10, 10, 3, "running"),
        (10, 10, 3, "drained"),
    ]


def test_a_run_measures_itself_batch_by_batch(module: Any, spec_of: Any) -> None:
    run = run_of(module, spec_of)
    run.run()
    done = run.totals()
    assert (done.records_in, done.records_out) == (10, 10)
    assert (done.batch.count, done.latency.count) == (3, 3)
    assert done.latency.sum <= done.busy_seconds
    assert done.batch.sum <= done.busy_seconds
    assert done.cpu_seconds > 0


def test_a_stopped_run_drains_aborts_and_names_its_partial_output(
    module: Any, spec_of: Any
) -> None:
    run: MemoryRun

    def stop(progress: Progress) -> None:
        if progress.batches == 2:
            thread = threading.Thread(target=run.stop)
            thread.start()
            thread.join()

    run = run_of(module, spec_of, on_progress=stop)
    report = run.run()
    assert (report.outcome, report.records_in, report.records_out) == ("stopped", 8, 8)
    assert report.partial_outputs == ("part",)
    assert "sink.commit" not in module.CALLS
    assert module.CALLS.count("sink.abort") == 1


def test_a_run_stopped_before_it_begins_reads_nothing(module: Any, spec_of: Any) -> None:
    run = run_of(module, spec_of)
    run.stop()
    assert module.CALLS == []
    report = run.run()
    assert (report.outcome, report.records_in) == ("stopped", 0)
    assert "source.read" not in module.CALLS


def test_stopping_a_run_that_is_over_does_nothing(module: Any, spec_of: Any) -> None:
    run = run_of(module, spec_of)
    run.run()
    run.stop()
    assert "source.interrupt" not in module.CALLS


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_failing_node_aborts_the_sink_and_names_the_record(
    module: Any, spec_of: Any, batch: int
) -> None:
    module.FAIL_AT = 7
    run = run_of(module, spec_of, limits=BatchLimits(max_records=batch))
    with pytest.raises(NodeFailedError) as caught:
        run.run()
    assert (caught.value.node, caught.value.sequence) == ("f", 7)
    assert "payload text" not in str(caught.value)
    assert module.CALLS.count("sink.abort") == module.CALLS.count("source.close") == 1
    assert "sink.commit" not in module.CALLS
    assert run.partial_outputs() == ("part",)


@pytest.mark.parametrize(
    ("action", "adapter", "verb", "ends"),
    [
        ("source.open", "source:source", "open", []),
        ("source.read", "source:source", "read", ["source.close", "sink.abort"]),
        ("source.close", "source:source", "close", ["source.close", "sink.abort"]),
        ("sink.open", "sink:sink", "open", ["source.close"]),
        ("sink.encode", "sink:sink", "encode", ["source.close", "sink.abort"]),
        ("sink.write", "sink:sink", "write", ["source.close", "sink.abort"]),
        ("sink.commit", "sink:sink", "commit", ["source.close", "sink.commit", "sink.abort"]),
    ],
)
def test_whatever_an_adapter_raises_is_typed_and_everything_is_released(
    module: Any, spec_of: Any, action: str, adapter: str, verb: str, ends: list[str]
) -> None:
    module.RAISES.add(action)
    with pytest.raises(AdapterFailedError) as caught:
        run_of(module, spec_of).run()
    error = caught.value
    assert (error.adapter, error.action, error.cause_type) == (adapter, verb, "Disk")
    assert isinstance(error.__cause__, module.Disk)
    ending = ("source.close", "sink.commit", "sink.abort")
    assert [c for c in module.CALLS if c in ending] == ends


@pytest.mark.parametrize("raised", [asyncio.CancelledError, GeneratorExit])
def test_what_a_source_raises_that_is_no_exception_is_its_failure_too(
    module: Any, spec_of: Any, raised: type[BaseException]
) -> None:
    module.RAISED = raised
    module.RAISES.add("source.read")
    with pytest.raises(AdapterFailedError) as caught:
        run_of(module, spec_of).run()
    assert (caught.value.adapter, caught.value.cause_type) == ("source:source", raised.__name__)
    assert "sink.abort" in module.CALLS


@pytest.mark.parametrize("given", ["raise", 5])
def test_a_summary_that_fails_behind_the_commit_changes_nothing_of_the_run(
    module: Any, spec_of: Any, given: Any
) -> None:
    if given == "raise":
        module.RAISES.add("sink.summary")
    else:
        module.Out.summary = lambda _: given
    run = run_of(module, spec_of)
    report = run.run()
    assert (report.outcome, report.counters, report.partial_outputs) == ("completed", {}, ())
    assert run.unsummed.startswith("sink:sink failed to give its summary: ")
    assert "sink.abort" not in module.CALLS


@pytest.mark.parametrize(
    "given",
    [{"a": "x"}, {"a": True}, {3: 3}, {"a": 1 << 64}, {"\udc80": 1}, {"": 1}, {"x" * 257: 1}],
)
def test_a_counter_that_cannot_be_told_is_left_out(module: Any, spec_of: Any, given: Any) -> None:
    module.Out.summary = lambda _: {**given, "kept": 1, "x" * 256: (1 << 63) - 1}
    run = run_of(module, spec_of)
    assert run.run().counters == {"kept": 1, "x" * 256: (1 << 63) - 1}
    assert run.unsummed.startswith("sink:sink: 1 of 3 counters of its summary are left out")


def test_an_interrupt_that_does_not_return_holds_up_no_end(module: Any, spec_of: Any) -> None:
    begun, gate = threading.Event(), threading.Event()

    def interrupt(_: object) -> None:
        begun.set()
        gate.wait()

    def stop(_: Progress) -> None:
        if not begun.is_set():
            stopper.start()
            begun.wait()

    module.Numbers.interrupt = interrupt
    run = run_of(module, spec_of, on_progress=stop)
    stopper = threading.Thread(target=run.stop)
    report = run.run()
    gate.set()
    stopper.join()
    assert report.outcome == "stopped"
    assert "source.close" in module.CALLS


def test_what_is_raised_with_payload_about_is_not_quoted_unless_it_is_the_systems(
    module: Any, spec_of: Any
) -> None:
    module.RAISES.add("sink.write")
    with pytest.raises(AdapterFailedError) as caught:
        run_of(module, spec_of).run()
    assert caught.value.problem == ""
    module.RAISED = OSError
    with pytest.raises(AdapterFailedError) as caught:
        run_of(module, spec_of).run()
    assert caught.value.problem == "sink.write went wrong"


def test_a_failure_while_cleaning_up_is_noted_on_the_first_and_never_hides_it(
    module: Any, spec_of: Any
) -> None:
    module.FAIL_AT = 2
    module.RAISES |= {"source.close", "sink.abort"}
    with pytest.raises(NodeFailedError) as caught:
        run_of(module, spec_of).run()
    assert [note.partition(":")[0] for note in caught.value.__notes__] == ["and then"] * 2


@pytest.mark.parametrize(("gives", "cause"), [("3", "int"), ("[1, 2]", "NodeOutputError")])
def test_a_source_that_gives_something_else_is_refused(
    declare: Any, spec_of: Any, gives: str, cause: str
) -> None:
    module = declare(ADAPTERS.replace("return [A(n) for n in given]", f"return {gives}"))
    with pytest.raises((AdapterFailedError, NodeOutputError)) as caught:
        run_of(module, spec_of).run()
    assert cause in (type(caught.value).__name__, getattr(caught.value, "cause_type", ""))


def test_a_sink_may_keep_or_change_the_list_that_it_is_given(declare: Any, spec_of: Any) -> None:
    module = declare(
        """
        @source()
        def numbers() -> Iterator[A]:
            yield from map(A, range(5))
        @node
        def zeros(a: A) -> None: COUNTED.append(a.n)
        COUNTED = []
        @sink()
        class Out:
            def open(self): ...
            def write(self, chunk: list[A]): chunk.clear()
            def commit(self): ...
            def abort(self): ...
            def partial_outputs(self): return ()
            def summary(self): return {}
        """
    )
    report = run_of(module, spec_of).run()
    assert module.COUNTED == [0, 1, 2, 3, 4]
    assert report.records_out == 5


def test_a_source_needs_to_read_and_to_be_interrupted_and_a_sink_to_write(
    declare: Any, spec_of: Any
) -> None:
    module = declare(
        """
        LEFT, written = [A(1), A(2)], []
        @source
        class Numbers:
            def read(self, max_records, max_bytes) -> list[A]: return [LEFT.pop()] if LEFT else []
            def interrupt(self): LEFT.clear()
        @sink
        class Out:
            def write(self, chunk: list[A]): written.extend(chunk)
        """
    )
    report = run_of(module, spec_of).run()
    assert module.written == [module.A(2), module.A(1)]
    assert (report.outcome, report.counters, report.partial_outputs) == ("completed", {}, ())
    module.LEFT.append(module.A(3))
    stopped = run_of(module, spec_of)
    stopped.stop()
    assert stopped.run().outcome == "stopped"


def test_a_generator_source_gives_about_as_many_bytes_as_were_asked_for() -> None:
    """However many records would be allowed: a full frame holds about that much."""
    source = GeneratorSource(lambda: iter([b"x" * 1_000] * 100))
    source.open()
    sizes = [len(source.read(50, 4_500)) for _ in range(8)]
    assert sizes == [1, 2, 4, 4, 4, 4, 4, 4]
    assert len(source.read(50, 10)) == 1


def test_a_generator_source_gives_what_no_frame_could_hold_as_well() -> None:
    source = GeneratorSource(lambda: iter([object()] * 100))
    source.open()
    assert [len(source.read(50, 10)) for _ in range(5)] == [1, 2, 4, 8, 10]


def test_a_generator_source_runs_its_finally() -> None:
    closed = []

    def numbers() -> Any:
        try:
            yield from range(10)
        finally:
            closed.append(True)

    source = GeneratorSource(numbers)
    source.open()
    assert list(source.read(100, 100)) == [0]
    source.interrupt()
    assert list(source.read(100, 100)) == []
    source.close()
    assert closed == [True]


STUBBORN = """
import asyncio

TASKS = []

async def stubborn():
    while True:
        try: await asyncio.Event().wait()
        except asyncio.CancelledError: pass

@node
async def f(a: A) -> D:
    TASKS.append(asyncio.create_task(stubborn()))
    return D(str(a.n))
"""


def test_a_task_that_does_not_heed_its_cancellation_holds_up_no_end(
    declare: Any, spec_of: Any
) -> None:
    declared = declare(ADAPTERS.rpartition("@node")[0] + STUBBORN)
    report = run_of(declared, spec_of).run()
    assert (report.outcome, len(declared.TASKS)) == ("completed", 10)
    assert not any(task.done() for task in declared.TASKS)
