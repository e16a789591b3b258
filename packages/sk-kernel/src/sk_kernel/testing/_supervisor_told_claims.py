"""Claims about the reports of a supervisor: events, snapshots and process ids."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Final

from sk_kernel.status import STATUS_VERSION
from sk_kernel.testing._supervisor_bench import SupervisorBench, equal, holds


def events_are_told_in_order(bench: SupervisorBench) -> None:
    """Numbered from 1 without a gap, with the run's id and time, each worker's checkpoints once."""
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
    """``subscribe`` returns the events after a number: all after 0, none after the last."""
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

        def look() -> None:
            seen.append(it.supervisor.snapshot().ready)
            it.supervisor.request_stop("test")

        with it.meanwhile(it.flowing, look):
            it.supervisor.run()
        equal(seen, [True])
        it.supervisor.shutdown()
        equal((it.supervisor.snapshot().state, it.supervisor.snapshot().ready), ("stopped", False))


def processes_are_real_where_there_are_any(bench: SupervisorBench) -> None:
    """``os_pid`` is the pid of a live process until the worker has ended, or it is None."""
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


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


TOLD_CLAIMS: Final = (
    events_are_told_in_order,
    a_subscriber_gets_what_it_has_not_seen,
    a_snapshot_says_how_the_run_is,
    processes_are_real_where_there_are_any,
)
