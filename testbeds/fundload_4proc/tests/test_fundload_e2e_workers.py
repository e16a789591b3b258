"""Several workers of one group: by id and by customer, the bytes stay what they are."""

from __future__ import annotations

import pytest
from e2e_bench import Bench, reference, run_options
from e2e_run import LiveRun, alive_after
from parity_runs import Runs

FEATURES, POLICY = 1, 2
"""The places of the two groups in the configuration."""


def shared(features: int, policy: int) -> list[str]:
    """The options that give the two groups these numbers of workers."""
    counts = ((FEATURES, features), (POLICY, policy))
    path = "runtime.platform.process_groups[{}].workers={}"
    return [word for place in counts for word in ("--set", path.format(*place))]


def processes(run: LiveRun) -> dict[str, int]:
    """The number of worker processes of each group."""
    names = [p.cmdline()[-1].rpartition("-")[0] for p in run.process.children()]
    return {name: names.count(name) for name in names}


@pytest.mark.contract("P5PRE-EXEC-05", "P5PRE-SUP-05")
def test_keyed_workers_give_the_bytes_of_the_reference(bench: Bench, dirty: bytes) -> None:
    bench.write("in", dirty)
    options = run_options("baseline", "multiprocess", input="in", output="out", rejects="rejects")
    assert bench.run(*options, *shared(2, 3), "--quiet").code == 0
    expected = reference(dirty, "baseline")
    assert (bench.read("out"), bench.read("rejects")) == expected


@pytest.mark.contract("P5PRE-SUP-05")
def test_every_group_has_as_many_processes_as_it_has_workers(bench: Bench, dirty: bytes) -> None:
    options = run_options("baseline", "multiprocess", input="-", output="out", rejects="-")
    run = bench.start(*options, *shared(2, 3))
    run.flood(dirty)
    run.lines(300)
    assert processes(run) == {
        "execution.ingress": 1,
        "execution.features": 2,
        "execution.policy": 3,
        "execution.egress": 1,
    }
    assert bench.finish(run).code == 0


@pytest.mark.contract("P5PRE-LIFE-03")
def test_a_killed_worker_of_several_is_named_and_the_others_go(bench: Bench, dirty: bytes) -> None:
    options = run_options("baseline", "multiprocess", input="-", output="out", rejects="-")
    run = bench.start(*options, *shared(2, 2))
    run.flood(dirty)
    run.lines(300)
    workers = {p.cmdline()[-1]: p for p in run.process.children()}
    workers["execution.policy-1.1"].kill()
    ended = bench.outwait(run)
    assert ended.code == 4, ended.said
    assert "worker execution.policy-1.1 of group execution.policy failed (crash)" in ended.said
    assert alive_after(0, workers.values()) == []


@pytest.mark.contract("P5PRE-EXEC-05")
def test_a_global_state_is_refused_with_its_node_and_the_fix(bench: Bench) -> None:
    bench.write("in", b"")
    options = run_options("exp_mp", "multiprocess", input="in", output="out")
    ended = bench.run(*options, *shared(1, 2))
    assert ended.code == 2
    assert (
        "evaluate_policies: global_state: expected workers: 1 for its group execution.policy"
        in ended.said
    )


@pytest.mark.soak
@pytest.mark.contract("P5PRE-EXEC-05")
@pytest.mark.parametrize("policy", [2, 3, 4])
def test_ten_keyed_runs_in_a_row_are_identical(bench: Bench, policy: int) -> None:
    source = Runs(bench.folder, timeout_seconds=100).generate(100_000, seed=1)
    expected = reference(source.read_bytes(), "baseline")
    options = run_options("baseline", "multiprocess", output="out", rejects="rejects")
    for _ in range(10):
        ended = bench.run(*options, "--input", str(source), *shared(2, policy), "--quiet")
        assert ended.code == 0, ended.said
        assert (bench.read("out"), bench.read("rejects")) == expected
