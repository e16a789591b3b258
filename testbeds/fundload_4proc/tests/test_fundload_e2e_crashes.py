"""A worker that dies or hangs ends the run, told apart and cleaned up; so does the supervisor."""

from __future__ import annotations

import re
import signal
from typing import Any

import pytest
from e2e_bench import GROUPS, Bench, patient, reference
from e2e_run import PATIENCE_SECONDS, LiveRun, alive_after

OLD = b"old\n"
HANGING = "execution.features"

each_group = pytest.mark.parametrize(
    "group", [*GROUPS[:2], *(pytest.param(group, marks=pytest.mark.soak) for group in GROUPS[2:])]
)


def in_full_flow(bench: Bench, dirty: bytes, *options: str) -> LiveRun:
    """Start a run over four processes that is fed without end, and let it get going.

    Rejects go to standard output: whoever has read some knows that all four processes work.
    """
    bench.write("out", OLD)
    run = bench.start("run", *options, "--input", "-", "--output", "out", "--rejects", "-")
    run.flood(dirty)
    run.lines(300)
    return run


@pytest.mark.contract("P5PRE-LIFE-03", "PROC-INT-04", "PROC-INT-08")
@each_group
def test_a_killed_worker_ends_the_run(bench: Bench, dirty: bytes, group: str) -> None:
    """Exit 4 with group, worker and signal; nobody is left; the old output is as it was."""
    config = bench.derived_config("exp_mp_multiprocess", patient)
    run = in_full_flow(bench, dirty, "--config", config)
    workers = run.workers()
    workers[group].kill()
    ended = bench.outwait(run)  # sooner than a stop has to
    assert alive_after(0, workers.values()) == []
    assert ended.code == 4, ended.said
    assert f"worker {group}-0.1 of group {group} failed (crash): signal SIGKILL" in ended.said
    assert bench.read("out") == OLD
    (partial,) = ended.partials
    assert partial.read_bytes().startswith(reference(dirty, decisions=1_000).output)


@pytest.mark.contract("P5PRE-LIFE-05")
def test_no_worker_outlives_a_killed_supervisor(bench: Bench, dirty: bytes) -> None:
    run = in_full_flow(bench, dirty, "--rules", "exp_mp", "--profile", "multiprocess")
    workers = run.workers()
    assert set(workers) == set(GROUPS)
    run.signal(signal.SIGKILL)
    assert alive_after(PATIENCE_SECONDS, workers.values()) == []
    assert bench.outwait(run).code == -signal.SIGKILL
    assert bench.read("out") == OLD
    bench.left_on_purpose.update(bench.folder.glob("out.*.partial"))


def quick_to_notice(document: dict[str, Any]) -> None:
    patient(document)
    for group in document["runtime"]["platform"]["process_groups"]:
        if group["name"] == HANGING:
            group["heartbeat_seconds"] = 1


@pytest.mark.contract("P5PRE-LIFE-02")
def test_a_worker_that_hangs_is_noticed_by_its_silence(bench: Bench, dirty: bytes) -> None:
    """After three intervals without a heartbeat; it is killed, and the run ends with exit 4."""
    config = bench.derived_config("exp_mp_multiprocess", quick_to_notice)
    run = in_full_flow(bench, dirty, "--config", config)
    workers = run.workers()
    workers[HANGING].send_signal(signal.SIGSTOP)
    ended = bench.outwait(run)
    assert alive_after(0, workers.values()) == []
    assert ended.code == 4, ended.said
    worker = f"worker {HANGING}-0.1 of group {HANGING}"
    silence = r"no heartbeat for ([0-9.]+) s \(3 x heartbeat_seconds: 1\)"
    found = re.search(rf"{worker} failed \(heartbeat\): .*{silence}", ended.said)
    assert found, ended.said
    assert float(found[1]) >= 3
    assert bench.read("out") == OLD
    assert [path.exists() for path in ended.partials] == [True]
