"""The data plane when a worker takes another one's place: routes, what is kept, who is known."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_config import build_config
from sk_kernel.runtime import ExecutionPlan
from sk_observability import LifecycleLog
from sk_supervisor import prepare
from sk_supervisor._hub.relay import CreditGrant, Relay
from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.record import WorkerRecord, failure_error
from sk_supervisor._lives.roster import Roster
from sk_supervisor._lives.successors import Successors
from sk_supervisor._protocol.edges import EdgeKeys, receivers, senders
from sk_supervisor._protocol.frames import AckHeader
from sk_supervisor._protocol.worker_ids import (
    group_of,
    incarnation_of,
    index_of,
    place_of,
    worker_name,
)
from sk_supervisor._session.worker_directory import WorkerDirectory
from sk_supervisor._worker.replay_buffer import ReplayBuffer
from sk_supervisor.errors import RelayRefusedError
from sk_transport import KeyMaterial
from supervisor_frames import header
from supervisor_harness import GROUPS, settings

WORKERS = {"in-0": "in-0.1", "mid-0": "mid-0.1", "out-0": "out-0.1"}


def plan_of() -> ExecutionPlan:
    """in (segment 0) sends to mid (1) and out (2), mid to out."""
    return prepare(build_config(settings(Path("out.txt")))).plan


# ---- the relay ---------------------------------------------------------------------------------


def test_frames_from_and_for_a_worker_that_was_replaced_are_dropped() -> None:
    relay = Relay(plan_of(), WORKERS, ["mid"])
    relay.hand_over("mid-0.2")
    late = header(sender="mid-0.1", receiver="out-0.1", source_segment=1, target_segment=2)
    assert relay.route("in-0.1", header()) is None
    assert relay.route("mid-0.1", late) is None
    assert relay.acknowledge("mid-0.1", AckHeader("mid-0.1", 1, 9)) is None
    assert relay.route("in-0.1", header(receiver="mid-0.2")) == "mid-0.2"


def test_a_worker_that_was_replaced_cannot_speak_for_another_all_the_same() -> None:
    relay = Relay(plan_of(), WORKERS, ["mid"])
    relay.hand_over("mid-0.2")
    forged = header(sender="in-0.1")
    with pytest.raises(RelayRefusedError):
        relay.route("mid-0.1", forged)


def test_a_successor_speaks_only_once_it_is_in_place() -> None:
    relay = Relay(plan_of(), WORKERS, ["mid"])
    early = header(sender="mid-0.2", receiver="out-0.1", source_segment=1, target_segment=2)
    with pytest.raises(RelayRefusedError):
        relay.route("mid-0.2", early)
    relay.hand_over("mid-0.2")
    assert relay.route("mid-0.2", early) == "out-0.1"


def test_who_is_upstream_of_a_group_that_is_restarted_gets_credit_as_the_source_does() -> None:
    def credited(*restartable: str) -> CreditGrant | None:
        relay = Relay(plan_of(), WORKERS, restartable)
        relay.route("in-0.1", header(epoch=4))
        return relay.acknowledge("out-0.1", AckHeader("out-0.1", 2, 4))

    assert credited() == credited("mid") == CreditGrant(("in-0.1",), 4)
    assert credited("out") == CreditGrant(("in-0.1", "mid-0.1"), 4)


def test_a_successor_has_not_sent_what_its_predecessor_sent() -> None:
    relay = Relay(plan_of(), WORKERS, ["mid"])
    end = header(sender="mid-0.1", receiver="out-0.1", source_segment=1, target_segment=2)
    relay.route("mid-0.1", end, final=True)
    assert relay.has_sent_all("mid-0.1")
    relay.hand_over("mid-0.2")
    assert not relay.has_sent_all("mid-0.2")


def test_all_is_complete_when_the_end_of_input_is_acknowledged() -> None:
    relay = Relay(plan_of(), WORKERS)
    assert not relay.complete
    relay.route("in-0.1", header(epoch=3), final=True)
    relay.acknowledge("out-0.1", AckHeader("out-0.1", 2, 2))
    assert not relay.complete
    relay.acknowledge("out-0.1", AckHeader("out-0.1", 2, 3))
    assert relay.complete


# ---- what is kept ------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), max_size=60), st.integers(1, 5))
def test_exactly_what_is_not_acknowledged_is_kept_and_in_order(
    steps: list[tuple[int, int]], in_flight: int
) -> None:
    acknowledged = 0
    replay_buffer = ReplayBuffer(["mid-0"], lambda: acknowledged)
    sent: list[tuple[int, int]] = []
    for epoch, (parts, done) in enumerate(steps, 1):
        acknowledged = max(min(acknowledged + done, epoch - 1), epoch - in_flight)
        for part in range(parts):
            replay_buffer.keep(header(epoch=epoch, first=part), b"x", final=False)
            replay_buffer.keep(header(epoch=epoch, receiver="out-0.1"), b"y", final=False)
            sent.append((epoch, part))
        kept = [(k.header.epoch, k.header.first) for k in replay_buffer.again("mid-0")]
        assert kept == [one for one in sent if one[0] > acknowledged]
        assert len({number for number, _ in kept}) <= in_flight
        assert list(replay_buffer.again("out-0")) == []


# ---- who is known ------------------------------------------------------------------------------


def test_a_worker_is_told_once_of_each_successor_that_it_exchanges_batches_with() -> None:
    directory = WorkerDirectory(plan_of())
    for worker in WORKERS.values():
        assert directory.introduce_all(worker) == WORKERS
        assert directory.news(worker) == ()
    assert not directory.take_over("mid-0.1")
    assert directory.take_over("mid-0.2")
    for place in ("in-0", "out-0"):
        assert directory.news(WORKERS[place]) == ("mid-0",)
        assert directory.news(WORKERS[place]) == ()


def test_a_successor_that_was_born_before_another_came_into_place_hears_of_it() -> None:
    directory = WorkerDirectory(plan_of())
    assert directory.introduce_all("mid-0.2") == {**WORKERS, "mid-0": "mid-0.2"}
    directory.take_over("out-0.2")
    directory.take_over("mid-0.2")
    assert directory.news("mid-0.2") == ("out-0",)


def test_a_worker_s_name_says_which_incarnation_it_is() -> None:
    name = worker_name("a-1.b", 3, 12)
    assert name == "a-1.b-3.12"
    assert (group_of(name), index_of(name), incarnation_of(name)) == ("a-1.b", 3, 12)
    assert place_of(name) == "a-1.b-3"


def test_a_successor_shares_keys_with_its_neighbours_and_not_those_of_its_predecessor() -> None:
    directory = WorkerDirectory(plan_of())
    keys = EdgeKeys(KeyMaterial.generated(), "s", directory.edges(WORKERS), "hkdf_sha256")
    later = directory.edges({**WORKERS, "mid-0": "mid-0.2"})
    own = keys.bundle("mid-0.2", later)
    shared = keys.shared("in-0.1", [edge for edge in later if "mid-0.2" in edge])
    assert receivers(shared)["mid-0.2"].reveal() == senders(own)["in-0.1"].reveal()
    assert set(shared) == {"data.to.worker.mid-0.2"}
    before = {secret.reveal() for secret in keys.bundle("mid-0.1").values()}
    assert not before & {secret.reveal() for secret in own.values()}


# ---- who follows -------------------------------------------------------------------------------


class Process:
    """What is seen of a process, without one."""

    pid = 1

    def __init__(self) -> None:
        self.alive = True
        self.signals: list[int] = []

    def signal(self, number: int) -> None:
        self.signals.append(number)

    def ended(self) -> str:
        return "" if self.alive else "signal SIGKILL"

    def tail(self) -> tuple[str, ...]:
        return ()

    def release(self, timeout: float) -> bool:
        return True


class Bench:
    """Successors under a clock that is set, and what they did."""

    def __init__(self, spawn: Callable[[], None] = lambda: None, **restart: Any) -> None:
        chosen = {"policy": "on_failure", "backoff_seconds": 4, **restart}
        groups = [GROUPS[0], {**GROUPS[1], "restart": chosen}, GROUPS[2]]
        config = build_config(settings(Path("out.txt"), groups=groups))
        self.now, self.done = 100.0, False
        self.spawned: list[tuple[str, int]] = []
        self.blamed: list[WorkerRecord] = []
        self.groups = config.runtime.platform.process_groups
        self.log = LifecycleLog("r1", [], level="debug")
        self.roster = Roster(self.log, lambda _: None)
        self._spawn = spawn
        self.successors = Successors(
            self.groups,
            "r1",
            log=self.log,
            roster=self.roster,
            clock=LoopClock(lambda: self.now),
            spawn=self.spawn,
            blame=self.blamed.append,
            complete=lambda: self.done,
        )

    def spawn(self, group: Any, index: int, incarnation: int) -> None:
        self.spawned.append((group.name, incarnation))
        self._spawn()

    def failed(self, place: int = 1) -> WorkerRecord:
        group = self.groups[place]
        process: Any = Process()
        record = WorkerRecord(f"{group.name}-0.1", group, process, 0.0, 0.0)
        self.roster.add(record)
        return record


def test_nobody_is_started_before_the_backoff_is_over_and_the_predecessor_gone() -> None:
    bench = Bench()
    record = bench.failed()
    process: Any = record.process
    assert bench.successors.follow(record)
    assert process.signals == [9]
    assert bench.successors.due() is None
    process.alive = False
    due = bench.successors.due()
    assert due is not None
    assert 102 <= due <= 104
    bench.successors.ring(due - 0.001)
    assert not bench.spawned
    bench.successors.ring(due)
    assert bench.spawned == [("mid", 2)]
    assert bench.successors.due() is None


def test_a_group_without_a_policy_and_a_run_that_is_over_have_no_successors() -> None:
    bench = Bench()
    assert not bench.successors.follow(bench.failed(0))
    bench.successors.close()
    assert not bench.successors.follow(bench.failed(1))


def test_a_worker_that_fails_when_all_is_done_is_not_missed() -> None:
    bench = Bench()
    bench.done = True
    record = bench.failed()
    process: Any = record.process
    process.alive = False
    assert bench.successors.follow(record)
    assert bench.successors.due() is None
    assert not bench.blamed


def test_nobody_is_started_when_all_was_done_before_the_backoff_was_over() -> None:
    bench = Bench()
    record = bench.failed()
    process: Any = record.process
    process.alive = False
    assert bench.successors.follow(record)
    bench.done, due = True, bench.successors.due()
    assert due is not None
    bench.successors.ring(due)
    assert (bench.spawned, bench.blamed, bench.successors.due()) == ([], [], None)


def test_a_successor_that_cannot_be_spawned_is_a_failure_like_any_other() -> None:
    def broke() -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    bench = Bench(broke, intensity=2)
    record = bench.failed()
    process: Any = record.process
    process.alive = False
    assert bench.successors.follow(record)
    while (due := bench.successors.due()) is not None:
        bench.now = due
        bench.successors.ring(due)
    assert bench.spawned == [("mid", 2), ("mid", 3)]
    assert bench.blamed == [record]
    assert record.gave_up == "gave up after 2 restarts in 60 s"
    told = [e for e in bench.log.events() if e.name in ("worker_restarting", "worker_gave_up")]
    first, second, end = told
    assert (first.fields["attempt"], second.fields["attempt"]) == (1, 2)
    assert "message" not in first.fields
    error = failure_error(record)
    assert error.category == second.fields["category"] == end.fields["category"] == "start"
    assert error.message == second.fields["message"] == end.fields["message"]
    assert error.message.startswith("no other could be started in its place: [Errno 11] Resource")
    assert "ulimit" in error.message


def test_a_successor_that_cannot_be_spawned_leaves_the_first_failure_in_the_error() -> None:
    def broke() -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    bench = Bench(broke, intensity=1)
    record = bench.failed()
    process: Any = record.process
    process.alive = False
    first = "node 'third' raised ValueError at record 7"
    bench.roster.broke(record, Breakage("execution", first, "third", "ValueError", trace_id="7"))
    assert bench.successors.follow(record)
    while (due := bench.successors.due()) is not None:
        bench.now = due
        bench.successors.ring(due)
    error = failure_error(record)
    assert error.message.startswith("no other could be started in its place: ")
    assert error.message.endswith(f"; it had failed: {first}")
    assert (error.node, error.cause_type, error.trace_id) == ("third", "ValueError", "7")


def test_a_stop_leaves_whoever_waits_for_a_successor_to_blame() -> None:
    bench = Bench()
    record = bench.failed()
    bench.successors.follow(record)
    bench.successors.cancel()
    assert bench.blamed == [record]
    assert bench.successors.due() is None
    assert "a stop was asked for" in record.gave_up
