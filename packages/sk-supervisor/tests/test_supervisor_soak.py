"""What only shows when it is done again and again: leftovers, and stops that come too late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sk_supervisor.testing import nothing_left_behind
from supervisor_harness import PATIENCE, Ears, expected, meanwhile, supervised
from ten_groups import ENDS, TEN

FOUR: tuple[dict[str, Any], ...] = (
    {"name": "in", "nodes": ["source:source"]},
    {"name": "split", "nodes": ["split"]},
    {"name": "mid", "nodes": ["work", "tally_up"]},
    {"name": "out", "nodes": ["sink:sink"]},
)

#: More than twenty interpreters start at once.
PATIENT = {"start_timeout_seconds": 120}


@pytest.mark.soak
@pytest.mark.contract("PROC-02", "P5PRE-LIFE-05", "P5PRE-SUP-03")
@pytest.mark.parametrize("round_", range(10))
def test_200_times_four_processes_leave_nothing(target: Path, round_: int) -> None:
    """Ten rounds of twenty."""

    def cycle() -> None:
        with supervised(target, groups=FOUR) as run:
            run.start(*(group["name"] for group in FOUR))
            assert run.supervisor.wait_ready(PATIENCE)
            assert run.supervisor.run().outcome == "completed"
            assert run.supervisor.shutdown() == "stop"
        assert target.read_text().splitlines() == expected(20)

    for _ in range(3):  # what gRPC keeps for good from its first uses on is there now
        cycle()
    with nothing_left_behind(within_seconds=20):
        for _ in range(20):
            cycle()


@pytest.mark.soak
@pytest.mark.contract("STOP-IPC-01", "P5PRE-LIFE-04", "PROC-INT-03")
def test_a_stop_in_full_flow_keeps_its_budget_every_time(target: Path, ears: Ears) -> None:
    budget = 10
    for _ in range(30):
        with supervised(
            target,
            source={"endless": True},
            work={"at": 20_001, "do": "hold", "ears": ears.port},
            every_group={"stop_timeout_seconds": budget},
        ) as run:
            run.ready()

            def ask(run: Any = run) -> None:
                held = ears.hear("here")
                run.supervisor.request_stop("test")
                held.let_go()

            with meanwhile(ask):
                assert run.supervisor.run().outcome == "stopped"
            assert run.supervisor.shutdown() == "stop"  # within the budget: else it is by force
            assert run.events("supervisor_force_stop") == []


@pytest.mark.soak
@pytest.mark.contract("P5PRE-SUP-05", "P5PRE-EXEC-05", "PLACEMENT-03")
def test_ten_groups_of_two_workers_take_100_000_records_through(target: Path) -> None:
    groups = (*ENDS, *TEN)
    with supervised(
        target,
        modules=("ten_groups",),
        groups=groups,
        source={"count": 100_000},
        every_group=PATIENT,
    ) as run:
        run.start(*(group["name"] for group in groups))
        assert run.supervisor.wait_ready(120)
        assert len(set(run.pids())) == 22
        shares = {g.name: len(g.workers) for g in run.supervisor.snapshot().groups}
        assert shares == {"in": 1, "out": 1, **{f"g{i}": 2 for i in range(1, 11)}}
        report = run.supervisor.run()
        assert (report.outcome, report.records_in) == ("completed", 100_000)
        assert run.supervisor.shutdown() == "stop"
    assert target.read_text() == "".join(f"{n + 10}\n" for n in range(100_000))
