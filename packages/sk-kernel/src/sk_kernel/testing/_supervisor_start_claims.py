"""Claims about the start: which calls are rejected before it, and the order of the groups."""

from __future__ import annotations

from typing import Final

from sk_kernel.testing._supervisor_bench import SupervisorBench, equal, holds, refused


def nothing_is_ready_without_time(bench: SupervisorBench) -> None:
    """``wait_ready`` with 0 seconds or less returns False, whatever is ready."""
    with bench.supervisor() as it:
        equal((it.supervisor.wait_ready(0), it.supervisor.wait_ready(-1)), (False, False))
        it.start()
        equal((it.supervisor.wait_ready(0), it.supervisor.wait_ready(-1)), (False, False))


def nothing_runs_before_its_start(bench: SupervisorBench) -> None:
    """``run`` and ``wait_ready`` are rejected before a group was started."""
    with bench.supervisor() as it:
        refused(it.supervisor.run, "run() before the start")
        refused(lambda: it.supervisor.wait_ready(1), "wait_ready() before the start")


def a_group_starts_once(bench: SupervisorBench) -> None:
    """A second start is rejected, and the workers of the first one stay as they are."""
    with bench.supervisor() as it:
        it.start()
        before = [(w.worker_id, w.os_pid) for w in it.workers()]
        refused(lambda: it.supervisor.start_groups(it.groups), "a second start")
        equal([(w.worker_id, w.os_pid) for w in it.workers()], before)
        equal(it.supervisor.run().outcome, "completed")


def an_unknown_group_is_refused(bench: SupervisorBench) -> None:
    """Its start and its forced end are rejected, and start or end no other group."""
    with bench.supervisor() as it:
        strangers = [*it.groups, "no such group"]
        refused(lambda: it.supervisor.start_groups(strangers), "a start of an unknown group")
        equal(it.events("worker_spawned"), [])
        it.start()
        refused(lambda: it.supervisor.force_terminate_groups(strangers), "its forced end")
        equal(it.supervisor.run().outcome, "completed")


def groups_start_in_the_order_given(bench: SupervisorBench) -> None:
    """Workers are spawned in that order, and all are ready before any of them works."""
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


START_CLAIMS: Final = (
    nothing_is_ready_without_time,
    nothing_runs_before_its_start,
    a_group_starts_once,
    an_unknown_group_is_refused,
    groups_start_in_the_order_given,
)
