"""What the supervisor decides, without a process: gate, ladder, placement, relay, headers."""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_config import build_config
from sk_control import ControlError
from sk_kernel import (
    SINK,
    SOURCE,
    Batch,
    ExecutionPlan,
    NodeFailedError,
    RecordTooLargeError,
    WireError,
)
from sk_supervisor import (
    BundleRejectedError,
    Ladder,
    Rung,
    RunRefusedError,
    RuntimeWorkerFailedError,
    StopTimeoutError,
    prepare,
)
from sk_supervisor._bundle import decode_bundle
from sk_supervisor._failures import failure_of
from sk_supervisor._frames import (
    MAX_BATCH_RECORDS,
    AckHeader,
    BatchHeader,
    CreditHeader,
    HeaderError,
    batch_of,
    decode_header,
    encode_header,
    sampled_mark,
)
from sk_supervisor._gate import GatePolicy, downstream_of, gate_policy, may_start
from sk_supervisor._mermaid import flowchart
from sk_supervisor._outlet import HEADER_BYTES
from sk_supervisor._relay import Credit, Relay, RelayRefusedError
from sk_supervisor._signals import ForcedStop, signals_to
from supervisor_harness import GROUPS, settings


def plan_of(groups: Any = GROUPS) -> ExecutionPlan:
    return prepare(build_config(settings(Path("out.txt"), groups=groups))).plan


# ---- the gate ----------------------------------------------------------------------------------

DOWNSTREAM = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}


@pytest.mark.contract("P5PRE-READY-02")
@pytest.mark.parametrize(
    ("policy", "ready", "starts"),
    [
        (GatePolicy.ALL_READY, {"a", "b"}, ()),
        (GatePolicy.ALL_READY, {"a", "b", "c"}, ("a", "b", "c")),
        (GatePolicy.DOWNSTREAM_READY, {"a", "b"}, ()),
        (GatePolicy.DOWNSTREAM_READY, {"a", "c"}, ("c",)),
        (GatePolicy.DOWNSTREAM_READY, {"b", "c"}, ("b", "c")),
        (GatePolicy.OPEN, {"a"}, ("a",)),
    ],
)
def test_the_gate_lets_start_what_its_policy_allows(
    policy: GatePolicy, ready: set[str], starts: tuple[str, ...]
) -> None:
    assert may_start(policy, ready, DOWNSTREAM) == starts


@given(
    st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"))),
    st.sets(st.sampled_from("abcd")),
)
def test_no_policy_lets_a_group_start_that_is_not_ready_and_a_looser_one_never_fewer(
    edges: set[tuple[str, str]], ready: set[str]
) -> None:
    downstream = {g: downstream_of(edges, g) for g in "abcd"}
    strict, middle, loose = (
        set(may_start(policy, ready, downstream))
        for policy in (GatePolicy.ALL_READY, GatePolicy.DOWNSTREAM_READY, GatePolicy.OPEN)
    )
    assert strict <= middle <= loose <= ready


def test_the_configuration_chooses_the_policy() -> None:
    assert gate_policy(enabled=False, all_groups=True) is GatePolicy.OPEN
    assert gate_policy(enabled=True, all_groups=True) is GatePolicy.ALL_READY
    assert gate_policy(enabled=True, all_groups=False) is GatePolicy.DOWNSTREAM_READY


# ---- the ladder --------------------------------------------------------------------------------

BUDGETS = st.floats(0, 10_000, allow_nan=False)


@given(BUDGETS, BUDGETS, st.booleans())
def test_the_rungs_follow_each_other_and_stay_within_any_budget(
    budget: float, now: float, drain: bool
) -> None:
    ladder = Ladder.within(budget, now, drain=drain)
    ends = [ladder.until(rung) for rung in (Rung.DRAIN, Rung.STOP, Rung.TERMINATE, Rung.KILL)]
    slack = 1e-6 * (1 + now + budget)
    assert all(a <= b + slack for a, b in itertools.pairwise(ends))
    assert now <= ends[0] + slack
    assert ends[-1] <= now + budget + slack
    assert drain or ends[0] == now


@given(BUDGETS, BUDGETS, st.floats(0, 1))
def test_time_only_ever_leads_down(budget: float, now: float, part: float) -> None:
    ladder = Ladder.within(budget, now)
    sooner, later = now + budget * part / 2, now + budget * part
    assert ladder.rung(sooner) <= ladder.rung(later)


def test_the_shares_of_a_usual_budget() -> None:
    ladder = Ladder.within(30, 100)
    assert (ladder.stop_until, ladder.terminate_until, ladder.kill_until) == (127, 129, 130)
    assert ladder.drain_until == pytest.approx(121.6)
    short = Ladder.within(1, 101)
    assert ladder.no_later_than(short) == short


# ---- placement ---------------------------------------------------------------------------------


@pytest.mark.contract("PLACEMENT-01")
def test_a_group_takes_what_it_names_and_what_its_selectors_choose() -> None:
    plan = plan_of(
        [
            {"name": "first", "stages": ["ingress", "split"]},
            {"name": "second", "tags": ["odd"], "runners": ["counting"]},
            {"name": "third", "nodes": ["sink:sink"]},
        ]
    )
    assert plan.group_of == {
        SOURCE: "first",
        "split": "first",
        "work": "second",
        "tally_up": "second",
        SINK: "third",
    }


@pytest.mark.contract("PLACEMENT-02", "CFG-PROC-04")
def test_every_fault_of_a_placement_is_found_at_once() -> None:
    groups = [
        {"name": "a", "nodes": ["source:source", "ghost"], "workers": 2},
        {"name": "b", "nodes": ["work"], "stages": ["work"]},
        {"name": "c", "tags": ["odd"]},
        {"name": "d", "stages": ["none"]},
    ]
    with pytest.raises(RunRefusedError) as caught:
        plan_of(groups)
    root = "runtime.platform.process_groups"
    assert {(f.path, f.category) for f in caught.value.faults} == {
        (f"{root}[0].nodes[1]", "unknown_node"),
        (f"{root}[0].workers", "unsupported"),
        (f"{root}[3]", "empty_group"),
        ("work", "placed_twice"),
        ("split", "unplaced"),
        (SINK, "unplaced"),
    }
    assert caught.value.exit_code == 2


@pytest.mark.contract("PLACEMENT-03", "PLACEMENT-04")
def test_the_picture_shows_groups_hops_and_edges_within() -> None:
    lines = flowchart(plan_of()).splitlines()
    assert lines[0] == "flowchart LR"
    assert [line.strip() for line in lines if "subgraph" in line] == [
        'subgraph g0["in"]',
        'subgraph g1["mid"]',
        'subgraph g2["out"]',
    ]
    edges = [line.strip() for line in lines if ">" in line and "subgraph" not in line]
    assert sorted(line.split('"')[1] for line in edges if "==>" in line) == ["Item", "Item", "Odd"]
    assert sorted(line.split('"')[1] for line in edges if "-->" in line) == ["Number", "Worked"]


# ---- the relay ---------------------------------------------------------------------------------

WORKERS = {"in": "in-0.1", "mid": "mid-0.1", "out": "out-0.1"}


def header(**changes: Any) -> BatchHeader:
    plain: dict[str, Any] = {
        "sender": "in-0.1",
        "receiver": "mid-0.1",
        "run_id": "r1",
        "scenario_id": "s",
        "epoch": 1,
        "first": 1,
        "last": 3,
        "source_segment": 0,
        "target_segment": 1,
        "route_hop": 1,
        "more": False,
        "complete": True,
        "sampled": False,
    }
    return BatchHeader(**{**plain, **changes})


def test_a_frame_goes_where_its_header_says() -> None:
    relay = Relay(plan_of(), WORKERS)
    assert relay.route("in-0.1", header(), 10) == "mid-0.1"
    assert relay.route("in-0.1", header(target_segment=2, receiver="out-0.1"), 5) == "out-0.1"
    assert (relay.counters.frames, relay.counters.bytes) == (2, 15)


def test_a_worker_has_sent_all_when_the_end_has_gone_every_way_out_of_it() -> None:
    relay = Relay(plan_of(), WORKERS)
    relay.route("in-0.1", header(), 1, final=True)
    relay.route("in-0.1", header(target_segment=2, receiver="out-0.1", more=True), 1, final=True)
    assert not relay.has_sent_all("in-0.1")
    relay.route("in-0.1", header(target_segment=2, receiver="out-0.1"), 1, final=True)
    assert relay.has_sent_all("in-0.1")
    assert not relay.has_sent_all("mid-0.1")
    assert not relay.has_sent_all("out-0.1")


@pytest.mark.parametrize(
    ("connection", "changes"),
    [
        ("mid-0.1", {}),
        ("in-0.1", {"sender": "mid-0.1"}),
        ("in-0.1", {"source_segment": 1}),
        ("in-0.1", {"source_segment": 9}),
        ("in-0.1", {"target_segment": 0}),
        ("in-0.1", {"target_segment": 9}),
        ("in-0.1", {"receiver": "out-0.1"}),
        ("out-0.1", {"sender": "out-0.1", "source_segment": 2, "target_segment": 0}),
    ],
)
def test_a_frame_that_is_not_the_workers_to_send_is_refused(
    connection: str, changes: dict[str, Any]
) -> None:
    relay = Relay(plan_of(), WORKERS)
    with pytest.raises(RelayRefusedError):
        relay.route(connection, header(**changes), 10)
    assert relay.counters.frames == 0


def test_credit_goes_to_the_source_once_for_each_step() -> None:
    relay = Relay(plan_of(), WORKERS)
    given = [relay.acknowledge("out-0.1", AckHeader("out-0.1", 2, n)) for n in (1, 1, 3, 2)]
    assert given == [Credit("in-0.1", 1), None, Credit("in-0.1", 3), None]
    for connection, claim in (
        ("mid-0.1", AckHeader("mid-0.1", 1, 4)),
        ("mid-0.1", AckHeader("out-0.1", 2, 4)),
        ("out-0.1", AckHeader("mid-0.1", 2, 4)),
    ):
        with pytest.raises(RelayRefusedError):
            relay.acknowledge(connection, claim)


# ---- headers -----------------------------------------------------------------------------------


@given(
    st.integers(1, 2**40),
    st.integers(0, 200).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n)))),
    st.booleans(),
    st.booleans(),
)
def test_a_batch_is_the_same_behind_its_header(
    first: int, size_and_offsets: tuple[int, set[int]], final: bool, complete: bool
) -> None:
    size, offsets = size_and_offsets
    sampled = frozenset(first + n for n in offsets if n < size)
    batch = Batch(7, first, first + size - 1, final, complete, {}, sampled)
    sent = header(
        epoch=7, first=first, last=batch.last, complete=complete, sampled=sampled_mark(batch)
    )
    came = decode_header(BatchHeader, encode_header(sent))
    assert came == sent
    assert batch_of(came, final=final) == batch


def test_the_largest_batch_has_room_in_a_header() -> None:
    records = range(1, MAX_BATCH_RECORDS + 1)
    batch = Batch(2**60, 1, MAX_BATCH_RECORDS, sampled=frozenset(records[::2]))
    names = {"sender": "s" * 256, "receiver": "r" * 256, "run_id": "i" * 256}
    sent = header(epoch=2**60, sampled=sampled_mark(batch), scenario_id="x" * 256, **names)
    assert len(encode_header(sent)) <= HEADER_BYTES


def test_a_larger_batch_is_not_asked_for() -> None:
    batch = {"max_records": MAX_BATCH_RECORDS * 2}
    configuration = settings(Path("out.txt"), platform={"batch": batch})
    assert prepare(build_config(configuration)).limits.max_records == MAX_BATCH_RECORDS


@given(st.binary(max_size=60), st.sampled_from([BatchHeader, AckHeader, CreditHeader]))
def test_any_bytes_are_a_header_or_a_typed_error(data: bytes, kind: type) -> None:
    with contextlib.suppress(HeaderError):
        assert isinstance(decode_header(kind, data), kind)


# ---- bundles and failures ----------------------------------------------------------------------


@pytest.mark.contract("CHILD-BOOT-03")
@given(st.binary(max_size=100) | st.sampled_from([b"{}", b"[]", b'{"application": 1}']))
def test_a_bundle_that_is_none_is_rejected_and_not_quoted(data: bytes) -> None:
    with pytest.raises(BundleRejectedError) as caught:
        decode_bundle(data)
    assert caught.value.problem in ("DecodeError", "ValidationError")


@pytest.mark.contract("P5PRE-HANDOFF-01")
def test_what_a_worker_says_of_an_error_holds_no_payload() -> None:
    failed = failure_of(NodeFailedError("work", "ValueError", 3), started=True)
    assert (failed.category, failed.node, failed.cause_type) == ("execution", "work", "ValueError")
    assert failure_of(WireError("no such edge"), started=True).category == "protocol"
    assert failure_of(ControlError(), started=True).category == "transport"
    large = failure_of(RecordTooLargeError("split", 4, 10, 5), started=True)
    assert (large.node, large.cause_type) == ("split", "RecordTooLargeError")
    unknown = failure_of(KeyError("secret payload"), started=True)
    assert (unknown.category, unknown.message) == ("execution", "KeyError")
    assert failure_of(KeyError("setting"), started=False).category == "start"


def test_errors_say_whose_fault_it_is_and_how_it_ended() -> None:
    crash = RuntimeWorkerFailedError(
        "crash", "mid", "mid-0.1", ended="signal SIGKILL", stderr_tail=["one", "two"]
    )
    assert str(crash) == (
        "worker mid-0.1 of group mid failed (crash): signal SIGKILL\n  | one\n  | two"
    )
    assert isinstance(StopTimeoutError(["a"], 2), TimeoutError)


# ---- signals -----------------------------------------------------------------------------------

TWICE = """
import os, signal
from sk_supervisor._signals import ForcedStop, signals_to
said = []
try:
    with signals_to(said.append, force={force}) as came:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
except ForcedStop:
    said.append("forced")
print(said, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""


@pytest.mark.parametrize(
    ("force", "said"),
    [
        (True, "['SIGTERM', 'SIGINT', 'forced'] True"),
        (False, "['SIGTERM', 'SIGINT', 'SIGTERM'] True"),
    ],
)
def test_signals_are_passed_on_and_handlers_put_back(force: bool, said: str) -> None:
    program = TWICE.format(force=force)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == said


def test_outside_the_main_thread_no_signal_is_handled() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def elsewhere() -> None:
        with signals_to(lambda _: None, force=True) as came:
            seen.extend([came, signal.getsignal(signal.SIGTERM)])

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [[], before]
    assert issubclass(ForcedStop, BaseException)
    assert not issubclass(ForcedStop, Exception)
