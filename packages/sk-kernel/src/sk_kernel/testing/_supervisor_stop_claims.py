"""Claims about every way to stop: the stop takes effect, and no process is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sk_kernel.errors import KernelError
from sk_kernel.testing._supervisor_bench import (
    RUNGS,
    SOON,
    Bench,
    SupervisorBench,
    equal,
    holds,
    refused,
)


def a_stop_drains_what_was_read(bench: SupervisorBench) -> None:
    """Every record that was read is processed; the run is stopped, not completed."""
    with bench.supervisor(count=0) as it:
        it.start()
        with it.meanwhile(it.flowing, lambda: it.supervisor.request_stop("test")):
            report = it.supervisor.run()
        equal(report.outcome, "stopped")
        equal(report.records_out, report.records_in)
        equal(report.counters["received"], report.records_in)
        equal(report.counters["disordered"], 0)
        holds(not it.supervisor.snapshot().ready, "not ready for work once a stop was asked for")
        holds(it.supervisor.shutdown() in ("none", "stop"), "no force")


def asking_again_is_no_force(bench: SupervisorBench) -> None:
    """A repeated request has no effect: records are drained, and only the first reason is kept."""
    with bench.supervisor(count=0) as it:
        it.start()

        def ask() -> None:
            for reason in ("first", "second", "third"):
                it.supervisor.request_stop(reason)

        with it.meanwhile(it.flowing, ask):
            report = it.supervisor.run()
        equal((report.outcome, report.records_out), ("stopped", report.records_in))
        status = it.supervisor.snapshot()
        equal((status.stop_reasons, status.stop_forced), (("first",), False))
        holds(it.supervisor.shutdown() in ("none", "stop"), "no force")


def a_stop_by_force_needs_no_other_before_it(bench: SupervisorBench) -> None:
    """The run raises; one that works in the caller's thread may also return as stopped."""
    with bench.supervisor(count=0) as it:
        it.start()
        outcome = ""
        with it.meanwhile(it.flowing, lambda: it.supervisor.request_stop("test", force=True)):
            try:
                outcome = it.supervisor.run().outcome
            except KernelError:
                outcome = "raised"
        own = ("stopped", "raised") if it.supervisor.works_in_caller else ("raised",)
        holds(outcome in own, f"an end by force, not {outcome!r}")
        status = it.supervisor.snapshot()
        equal((status.stop_reasons, status.stop_forced), (("test",), True))
        holds(it.supervisor.shutdown() in RUNGS, "a rung of the ladder")
        it.all_stopped()


def a_stop_before_the_work_is_not_lost(bench: SupervisorBench) -> None:
    """An unbounded run that was stopped before it began ends: it raises, or is stopped."""
    with bench.supervisor(count=0) as it:
        it.start()
        it.supervisor.request_stop("test")
        try:
            outcome = it.supervisor.run().outcome
        except KernelError:
            outcome = "stopped"
        equal(outcome, "stopped")


def a_shutdown_is_legal_in_every_state(bench: SupervisorBench) -> None:
    """Before the start, after it, when ready and after a run; a second one returns ``none``."""
    steps: tuple[Callable[[Bench], object], ...] = (
        lambda it: it.supervisor.start_groups(it.groups),
        lambda it: it.supervisor.wait_ready(SOON),
        lambda it: it.supervisor.run(),
    )
    for taken in range(len(steps) + 1):
        with bench.supervisor() as it:
            for step in steps[:taken]:
                step(it)
            holds(it.supervisor.shutdown() in RUNGS, "a rung of the ladder")
            equal(it.supervisor.shutdown(), "none")
            it.all_stopped()
            refused(it.supervisor.run, "run() after a shutdown")


def groups_stop_when_told(bench: SupervisorBench) -> None:
    """``stop_groups`` stops workers that comply, each with one ``worker_stopped`` event."""
    with bench.supervisor() as it:
        it.start()
        it.supervisor.stop_groups(SOON, drain_inflight=True)
        it.all_stopped()
        stopped = [e.worker for e in it.events("worker_stopped")]
        equal(sorted(map(str, stopped)), sorted(w.worker_id for w in it.workers()))
        equal({e.fields["mode"] for e in it.events("worker_stopped")}, {"graceful"})
        equal(it.supervisor.shutdown(), "none")


def groups_end_by_force(bench: SupervisorBench) -> None:
    """``force_terminate_groups`` leaves none of the groups' workers alive."""
    with bench.supervisor() as it:
        it.start()
        it.supervisor.force_terminate_groups(it.groups)
        it.all_stopped()


STOP_CLAIMS: Final = (
    a_stop_drains_what_was_read,
    asking_again_is_no_force,
    a_stop_by_force_needs_no_other_before_it,
    a_stop_before_the_work_is_not_lost,
    a_shutdown_is_legal_in_every_state,
    groups_stop_when_told,
    groups_end_by_force,
)
