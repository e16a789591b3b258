"""Claims about the work: a run, its failure, and requests during it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sk_kernel._record.boundary import BoundaryDispatchInput, TerminalEvent
from sk_kernel._record.envelope import Envelope
from sk_kernel.errors import KernelError, RequestRefusedError, UnknownRouteError
from sk_kernel.testing._supervisor_bench import RUNGS, SOON, SupervisorBench, equal, holds
from sk_kernel.testing.supervised_app import Number


def a_run_takes_every_record_through(bench: SupervisorBench) -> None:
    """All records to the end of the input, each once and in order, as the report says."""
    with bench.supervisor(count=1000) as it:
        it.start()
        report = it.supervisor.run()
        equal((report.outcome, report.records_in, report.records_out), ("completed", 1000, 1000))
        total = sum(n * n for n in range(1, 1001))
        equal(report.counters, {"received": 1000, "total": total, "disordered": 0})
        status = it.supervisor.snapshot()
        equal((report.run_id, report.scenario), (status.run_id, status.scenario))
        equal((report.profile, report.partial_outputs), (status.profile, ()))
        holds(report.batches >= 1 and report.seconds >= 0, "batches and seconds in the report")
        equal(tuple(it.supervisor.partial_outputs()), ())


def a_node_that_raises_fails_the_run(bench: SupervisorBench) -> None:
    """``run`` raises, the worker has failed with the category, and the shutdown still works."""
    with bench.supervisor(count=100, fails_at=50) as it:
        it.start()
        try:
            it.supervisor.run()
        except KernelError:
            pass
        else:
            raise AssertionError("expected a KernelError of run(), but nothing was raised")
        categories = [e.fields.get("category") for e in it.events("worker_failed")]
        equal(categories, ["execution"])
        holds("execution" in [w.category for w in it.workers()], "the category in the snapshot")
        holds(it.supervisor.shutdown() in RUNGS, "a rung of the ladder")
        it.all_stopped()


def requests_are_answered_while_it_works(bench: SupervisorBench) -> None:
    """During a run, under the caller's trace id; before and after it they are rejected."""
    with bench.supervisor(count=0, fails_at=-7) as it:
        it.start()
        ask = it.supervisor.request
        _unasked(lambda: ask(Envelope(Number(-5))))
        replies: list[TerminalEvent] = []

        def asked() -> None:
            try:
                waiters = [ask(Envelope(Number(n), trace_id=f"t{n}")) for n in (-5, -7)]
                replies.extend(waiter.wait(SOON) for waiter in waiters)
            finally:
                it.supervisor.request_stop("asked")

        with it.meanwhile(lambda: it.supervisor.wait_started(0), asked):
            it.supervisor.run()
        success, failure = replies
        equal((success.status, success.trace_id), ("success", "t-5"))
        equal(getattr(success.payload, "n", None), 25)
        equal((failure.status, failure.category), ("error", "execution"))
        equal((failure.node, failure.cause_type), ("square_of", "ValueError"))
        it.supervisor.shutdown()
        _unasked(lambda: ask(Envelope(Number(-5))))


def a_boundary_is_executed_in_its_group_alone(bench: SupervisorBench) -> None:
    """Replies are in the order of the inputs; an unknown group raises UnknownRouteError."""
    with bench.supervisor(count=0) as it:
        it.start()
        found: list[object] = []

        def asked() -> None:
            group = it.groups[0]
            inputs = [BoundaryDispatchInput(Number(-n), group, "square_of") for n in (3, 2)]
            stranger = BoundaryDispatchInput(Number(1), "no such group", "square_of")
            try:
                outputs = it.supervisor.execute_boundary(inputs).terminal_outputs
                found.extend(getattr(output.payload, "n", None) for output in outputs)
                it.supervisor.execute_boundary([stranger])
            except UnknownRouteError as error:
                found.append(error.group)
            finally:
                it.supervisor.request_stop("asked")

        with it.meanwhile(lambda: it.supervisor.wait_started(0), asked):
            it.supervisor.run()
        equal(found, [9, 4, "no such group"])


def _unasked(ask: Callable[[], object]) -> None:
    try:
        ask()
    except RequestRefusedError:
        return
    raise AssertionError("expected a RequestRefusedError of request(), but it was taken on")


WORK_CLAIMS: Final = (
    a_run_takes_every_record_through,
    a_node_that_raises_fails_the_run,
    requests_are_answered_while_it_works,
    a_boundary_is_executed_in_its_group_alone,
)
