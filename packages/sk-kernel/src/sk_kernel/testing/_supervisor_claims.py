"""What a supervisor promises, whatever its workers are."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from sk_kernel._boundary import BoundaryDispatchInput, TerminalEvent
from sk_kernel._envelope import Envelope
from sk_kernel.errors import KernelError, RequestRefusedError
from sk_kernel.status import STATUS_VERSION
from sk_kernel.testing._supervisor_bench import SOON, Bench, SupervisorBench, equal, holds, refused
from sk_kernel.testing.supervised_app import Number

SupervisorClaim = Callable[[SupervisorBench], None]
"""One promise: raises `AssertionError` where a supervisor does not keep it."""

_RUNGS: Final = ("none", "drain", "stop", "terminate", "kill")
_LIVE: Final = ("ready", "running")


def nothing_is_ready_without_time(bench: SupervisorBench) -> None:
    """``wait_ready`` of 0 seconds, or less, is False, whatever is ready."""
    with bench.supervisor() as it:
        equal((it.supervisor.wait_ready(0), it.supervisor.wait_ready(-1)), (False, False))
        it.start()
        equal((it.supervisor.wait_ready(0), it.supervisor.wait_ready(-1)), (False, False))


def nothing_runs_before_its_start(bench: SupervisorBench) -> None:
    """``run`` and ``wait_ready`` are refused before a group was started."""
    with bench.supervisor() as it:
        refused(it.supervisor.run, "run() before the start")
        refused(lambda: it.supervisor.wait_ready(1), "wait_ready() before the start")


def a_group_starts_once(bench: SupervisorBench) -> None:
    """A second start is refused, and the first one's workers stay as they are."""
    with bench.supervisor() as it:
        it.start()
        before = [(w.worker_id, w.os_pid) for w in it.workers()]
        refused(lambda: it.supervisor.start_groups(it.groups), "a second start")
        equal([(w.worker_id, w.os_pid) for w in it.workers()], before)
        equal(it.supervisor.run().outcome, "completed")


def an_unknown_group_is_refused(bench: SupervisorBench) -> None:
    """For a start and for a forced end; nothing is started, or ended, by the attempt."""
    with bench.supervisor() as it:
        strangers = [*it.groups, "no such group"]
        refused(lambda: it.supervisor.start_groups(strangers), "a start of an unknown group")
        equal(it.events("worker_spawned"), [])
        it.start()
        refused(lambda: it.supervisor.force_terminate_groups(strangers), "its forced end")
        equal(it.supervisor.run().outcome, "completed")


def groups_start_in_the_order_given(bench: SupervisorBench) -> None:
    """Their workers are spawned in it, each once, and each says ready before any work begins."""
    with bench.supervisor() as it:
        it.start()
        spawned = list(dict.fromkeys(e.group for e in it.events("worker_spawned")))
        equal(spawned, list(it.groups))
        holds(all(w.ready and w.state == "ready" for w in it.workers()), "every worker ready")
        equal(it.events("worker_running"), [])
        it.supervisor.run()
        ready = max(e.sequence for e in it.events("worker_ready"))
        running = min(e.sequence for e in it.events("worker_running"))
        holds(ready < running, "no worker running before every worker was ready")


def a_run_takes_every_record_through(bench: SupervisorBench) -> None:
    """To the end of the input, each once and in order; the report says so."""
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
    """``run`` raises, a worker is failed with the category, and the shutdown still works."""
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
        holds(it.supervisor.shutdown() in _RUNGS, "a rung of the ladder")
        _all_stopped(it)


def a_stop_drains_what_was_read(bench: SupervisorBench) -> None:
    """Every record that was read comes out; the run is stopped, not completed."""
    with bench.supervisor(count=0) as it:
        it.start()
        seen, stop = _flowing(it), lambda: it.supervisor.request_stop("test")
        with it.meanwhile(seen, stop):
            report = it.supervisor.run()
        equal(report.outcome, "stopped")
        equal(report.records_out, report.records_in)
        equal(report.counters["received"], report.records_in)
        equal(report.counters["disordered"], 0)
        holds(not it.supervisor.snapshot().ready, "not ready for work once a stop was asked for")
        holds(it.supervisor.shutdown() in ("none", "stop"), "no force")


def a_stop_before_the_work_is_not_lost(bench: SupervisorBench) -> None:
    """A run without an end, asked to stop before it began, ends: it raises, or is stopped."""
    with bench.supervisor(count=0) as it:
        it.start()
        it.supervisor.request_stop("test")
        try:
            outcome = it.supervisor.run().outcome
        except KernelError:
            outcome = "stopped"
        equal(outcome, "stopped")


def a_shutdown_is_legal_in_every_state(bench: SupervisorBench) -> None:
    """Before the start, when started, when ready and behind a run; more than once; named rungs."""
    steps: tuple[Callable[[Bench], object], ...] = (
        lambda it: it.supervisor.start_groups(it.groups),
        lambda it: it.supervisor.wait_ready(SOON),
        lambda it: it.supervisor.run(),
    )
    for taken in range(len(steps) + 1):
        with bench.supervisor() as it:
            for step in steps[:taken]:
                step(it)
            holds(it.supervisor.shutdown() in _RUNGS, "a rung of the ladder")
            equal(it.supervisor.shutdown(), "none")
            _all_stopped(it)
            refused(it.supervisor.run, "run() behind a shutdown")


def requests_are_answered_while_it_works(bench: SupervisorBench) -> None:
    """Beside a stream, under the caller's trace id; before and behind the work they are refused."""
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
    """Replies come in the order of the inputs; a group that there is none of is no connection."""
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
            except ConnectionError as error:
                found.append(isinstance(error, KernelError))
            finally:
                it.supervisor.request_stop("asked")

        with it.meanwhile(lambda: it.supervisor.wait_started(0), asked):
            it.supervisor.run()
        equal(found, [9, 4, True])


def groups_stop_when_told(bench: SupervisorBench) -> None:
    """``stop_groups`` ends workers that do as they are told, each with one word of its stop."""
    with bench.supervisor() as it:
        it.start()
        it.supervisor.stop_groups(SOON, drain_inflight=True)
        _all_stopped(it)
        stopped = [e.worker for e in it.events("worker_stopped")]
        equal(sorted(map(str, stopped)), sorted(w.worker_id for w in it.workers()))
        equal({e.fields["mode"] for e in it.events("worker_stopped")}, {"graceful"})
        equal(it.supervisor.shutdown(), "none")


def groups_end_by_force(bench: SupervisorBench) -> None:
    """``force_terminate_groups`` leaves none of their workers."""
    with bench.supervisor() as it:
        it.start()
        it.supervisor.force_terminate_groups(it.groups)
        _all_stopped(it)


def events_are_told_in_order(bench: SupervisorBench) -> None:
    """Numbered from 1 without a gap, of one run, dated, and each checkpoint of a worker once."""
    with bench.supervisor() as it:
        it.start()
        run_id = it.supervisor.run().run_id
        it.supervisor.shutdown()
        events = it.supervisor.lifecycle_events()
        equal([e.sequence for e in events], list(range(1, len(events) + 1)))
        equal({e.correlation_id for e in events}, {run_id})
        holds(all(a.time_ns <= b.time_ns for a, b in pairwise(events)), "times that do not fall")
        checkpoints = ("spawned", "ready", "running", "stopping", "stopped")
        for worker in {e.worker for e in events if e.worker}:
            told = [e.name for e in events if e.worker == worker]
            kept = [name for name in told if name.removeprefix("worker_") in checkpoints]
            equal(kept, [f"worker_{name}" for name in checkpoints])


def a_subscriber_gets_what_it_has_not_seen(bench: SupervisorBench) -> None:
    """The events after a number: all after 0, none after the last."""
    with bench.supervisor() as it:
        it.start()
        events = list(it.supervisor.lifecycle_events())
        middle = events[len(events) // 2].sequence
        equal(list(it.supervisor.subscribe(0))[: len(events)], events)
        later = [e for e in it.supervisor.subscribe(middle) if e.sequence <= events[-1].sequence]
        equal(later, events[len(events) // 2 + 1 :])
        it.supervisor.shutdown()
        last = it.supervisor.lifecycle_events()[-1].sequence
        equal(list(it.supervisor.subscribe(last)), [])


def a_snapshot_says_how_the_run_is(bench: SupervisorBench) -> None:
    """In every state: the run, its groups and workers; ready only while work goes on."""
    with bench.supervisor(count=0) as it:
        equal((it.supervisor.snapshot().version, it.supervisor.snapshot().ready), (1, False))
        it.start()
        status = it.supervisor.snapshot()
        equal((status.version, status.state, status.ready), (STATUS_VERSION, "ready", False))
        equal([group.name for group in status.groups], list(it.groups))
        ids = [w.worker_id for w in status.workers()]
        equal(len(set(ids)), len(ids))
        holds(all(group.workers for group in status.groups), "a worker in every group")
        seen: list[bool] = []
        flowing = _flowing(it)

        def look() -> None:
            seen.append(it.supervisor.snapshot().ready)
            it.supervisor.request_stop("test")

        with it.meanwhile(flowing, look):
            it.supervisor.run()
        equal(seen, [True])
        it.supervisor.shutdown()
        equal((it.supervisor.snapshot().state, it.supervisor.snapshot().ready), ("stopped", False))


def processes_are_real_where_there_are_any(bench: SupervisorBench) -> None:
    """``os_pid`` is a live process while a worker is, and none afterwards; or it is None."""
    with bench.supervisor() as it:
        it.start()
        pids = [w.os_pid for w in it.workers()]
        if not bench.has_os_pids:
            equal(set(pids), {None})
            return
        holds(all(pid is not None and _lives(pid) for pid in pids), "pids of live processes")
        it.supervisor.run()
        it.supervisor.shutdown()
        others = [pid for pid in pids if pid is not None and pid != os.getpid()]
        equal([pid for pid in others if _lives(pid)], [])


def _flowing(it: Bench) -> Callable[[], bool]:
    """Whether records come out at the other end."""
    return lambda: any(w.records_out for w in it.workers())


def _all_stopped(it: Bench) -> None:
    states = {w.state for w in it.workers()}
    holds(states <= {"stopped"}, f"every worker stopped, not {sorted(states)}")
    own = os.getpid()
    holds(not any(w.alive and w.os_pid != own for w in it.workers()), "no worker alive")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _unasked(ask: Callable[[], object]) -> None:
    try:
        ask()
    except RequestRefusedError:
        return
    raise AssertionError("expected a RequestRefusedError of request(), but it was taken on")


SUPERVISOR_CLAIMS: Final[tuple[SupervisorClaim, ...]] = (
    nothing_is_ready_without_time,
    nothing_runs_before_its_start,
    a_group_starts_once,
    an_unknown_group_is_refused,
    groups_start_in_the_order_given,
    a_run_takes_every_record_through,
    a_node_that_raises_fails_the_run,
    a_stop_drains_what_was_read,
    a_stop_before_the_work_is_not_lost,
    a_shutdown_is_legal_in_every_state,
    requests_are_answered_while_it_works,
    a_boundary_is_executed_in_its_group_alone,
    groups_stop_when_told,
    groups_end_by_force,
    events_are_told_in_order,
    a_subscriber_gets_what_it_has_not_seen,
    a_snapshot_says_how_the_run_is,
    processes_are_real_where_there_are_any,
)
"""Each is a promise of `BootstrapSupervisor`, named by its function and said by its docstring."""
