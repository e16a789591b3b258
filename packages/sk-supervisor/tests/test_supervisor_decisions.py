"""What the supervisor decides, without a process: gate, ladder, placement, relay, headers."""

from __future__ import annotations

import dataclasses
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
from sk_config import ConfigError, ReadinessConfig, build_config
from sk_kernel.runtime import KEY_GROUPS, SINK, SOURCE, ExecutionPlan
from sk_supervisor import (
    RunRefusedError,
    configure_process_groups,
    prepare,
)
from sk_supervisor._lives.gate import GatePolicy, downstream_of, gate_policy, may_start
from sk_supervisor._lives.ladder import Ladder
from sk_supervisor._pages.mermaid import flowchart
from sk_supervisor._system.signals import ForcedStop, signals_to
from supervisor_harness import GROUPS, settings


def plan_of(groups: Any = GROUPS) -> ExecutionPlan:
    return prepare(build_config(settings(Path("out.txt"), groups=groups))).plan


# ---- the gate ----------------------------------------------------------------------------------

DOWNSTREAM = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}


@pytest.mark.contract("P5PRE-READY-02", "P5PRE-CTRL-04")
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


def test_a_group_is_not_downstream_of_itself_though_its_output_comes_back_to_it() -> None:
    assert downstream_of([("a", "b"), ("b", "a"), ("b", "c")], "a") == {"b", "c"}


def test_the_configuration_chooses_the_policy() -> None:
    assert gate_policy(ReadinessConfig(enabled=False)) is GatePolicy.OPEN
    assert gate_policy(ReadinessConfig()) is GatePolicy.ALL_READY
    one_by_one = ReadinessConfig(start_work_on_all_groups_ready=False)
    assert gate_policy(one_by_one) is GatePolicy.DOWNSTREAM_READY


# ---- the ladder --------------------------------------------------------------------------------

BUDGETS = st.floats(0, 10_000, allow_nan=False)


@given(BUDGETS, BUDGETS, st.booleans())
def test_the_rungs_follow_each_other_and_stay_within_any_budget(
    budget: float, now: float, drain: bool
) -> None:
    ladder = Ladder.within(budget, now, drain=drain)
    ends = list(dataclasses.astuple(ladder))
    slack = 1e-6 * (1 + now + budget)
    assert all(a <= b + slack for a, b in itertools.pairwise(ends))
    assert ends[0] == now
    assert ends[-1] <= now + budget + slack
    assert drain or ladder.drain_until == now


def test_of_30_seconds_a_drain_has_four_fifths_of_what_the_signals_leave() -> None:
    ladder = Ladder.within(30, 100)
    assert (ladder.stop_until, ladder.terminate_until, ladder.kill_until) == (127, 129, 130)
    assert ladder.drain_until == pytest.approx(121.6)
    assert ladder.requests_until(101.6) == pytest.approx(111.6)  # half of what is left of that


def test_of_a_small_budget_each_signal_has_a_quarter() -> None:
    ladder = Ladder.within(2, 100)
    assert (ladder.stop_until, ladder.terminate_until, ladder.kill_until) == (101, 101.5, 102)


def test_of_two_ladders_the_earlier_deadline_of_each_rung_counts() -> None:
    delayed = Ladder.within(30, 100, delay_seconds=5)
    assert delayed.withdraw_until == 105
    assert delayed.no_later_than(Ladder.within(30, 100)) == Ladder.within(30, 100)
    ladder, short = Ladder.within(30, 100), Ladder.within(1, 100)
    assert ladder.no_later_than(short) == short.no_later_than(ladder) == short
    late, brief = Ladder.within(4, 110), Ladder.within(30, 100, drain=False)
    assert late.no_later_than(brief).drain_until == brief.drain_until == 100
    assert late.no_later_than(brief).kill_until == late.kill_until == 114


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


@pytest.mark.contract("PLACEMENT-02")
def test_every_fault_of_a_placement_is_found_at_once() -> None:
    groups = [
        {"name": "a", "nodes": ["source:source", "ghost"]},
        {"name": "b", "nodes": ["work"], "stages": ["work"]},
        {"name": "c", "tags": ["odd"]},
        {"name": "d", "stages": ["none"]},
    ]
    with pytest.raises(RunRefusedError) as caught:
        plan_of(groups)
    root = "runtime.platform.process_groups"
    assert {(f.path, f.category) for f in caught.value.faults} == {
        (f"{root}[0].nodes[1]", "unknown_node"),
        (f"{root}[3]", "empty_group"),
        ("work", "placed_twice"),
        ("split", "unplaced"),
        (SINK, "unplaced"),
    }
    assert caught.value.exit_code == 2


def test_a_group_may_have_as_many_workers_as_keys_are_shared_out_in_and_no_more() -> None:
    config = settings(Path("out.txt"), every_group={"workers": KEY_GROUPS})
    assert build_config(config).runtime.platform.process_groups[0].workers == KEY_GROUPS
    with pytest.raises(ConfigError, match=f"at most {KEY_GROUPS}"):
        build_config(settings(Path("out.txt"), every_group={"workers": KEY_GROUPS + 1}))


def test_a_program_says_how_many_workers_a_group_has() -> None:
    """By its name, as far as a configuration file could; the configuration itself stays."""
    config = build_config(settings(Path("out.txt")))
    changed = configure_process_groups(config, {"mid": 2})
    assert [g.workers for g in changed.runtime.platform.process_groups] == [1, 2, 1]
    assert [g.workers for g in config.runtime.platform.process_groups] == [1, 1, 1]
    with pytest.raises(RunRefusedError) as caught:
        configure_process_groups(config, {"middle": 2, "out": KEY_GROUPS + 1})
    assert [str(fault) for fault in caught.value.faults] == [
        "runtime.platform.process_groups: unknown_group: expected one of in, mid, out; got middle",
        "runtime.platform.process_groups[2].workers: bad_value: expected 1 to 128 workers; got 129",
    ]


@pytest.mark.contract("PLACEMENT-03", "PLACEMENT-04")
def test_neighbours_of_one_group_share_a_segment_and_a_hop_is_where_groups_differ() -> None:
    plan = plan_of()
    assert [s.vertices for s in plan.segments] == [
        (SOURCE, "split"),
        ("work", "tally_up"),
        (SINK,),
    ]
    assert set(plan.group_edges()) == {("in", "mid"), ("in", "out"), ("mid", "out")}
    assert {cls.__name__ for _, cls in plan.crossing()} == {"Odd", "Item"}


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


# ---- signals -----------------------------------------------------------------------------------

TWICE = """
import os, signal, time
from sk_supervisor._system.signals import ECHO_SECONDS, ForcedStop, signals_to
now, said = 0.0, []
time.monotonic = lambda: now
try:
    with signals_to(lambda *word: said.append(word), force={force}) as came:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
            if number != signal.SIGTERM:
                now += ECHO_SECONDS
except ForcedStop:
    said.append("forced")
print(said, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""


@pytest.mark.parametrize(
    ("force", "said"),
    [
        (True, "[('SIGTERM', False), ('SIGINT', True), 'forced'] True"),
        (False, "[('SIGTERM', False), ('SIGINT', True), ('SIGTERM', True)] True"),
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
        with signals_to(lambda *_: None, force=True) as came:
            seen.extend([came.numbers, signal.getsignal(signal.SIGTERM)])

    other = threading.Thread(target=elsewhere)
    other.start()
    other.join()
    assert seen == [[], before]
    assert issubclass(ForcedStop, BaseException)
    assert not issubclass(ForcedStop, Exception)
