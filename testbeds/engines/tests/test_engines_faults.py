"""What becomes of a run whose nodes, workers or supervisor fail, on every engine."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from contract_engines import Engine
from engine_commands import Told, command
from engine_configuration import OLD, PATIENCE, expected
from engine_supervised import Seen
from sk_supervisor import RuntimeWorkerFailedError


def failure_of(seen: Seen) -> RuntimeWorkerFailedError:
    assert isinstance(seen.error, RuntimeWorkerFailedError)
    return seen.error


def working(engine: Engine) -> str:
    """The group that ``weigh`` is in."""
    return "all" if engine.name == "one_group" else "work"


@pytest.mark.contract("P5PRE-HANDOFF-01")
def test_a_node_that_raises_is_named_with_its_group_and_without_its_words(
    raised: Told, engine: Engine
) -> None:
    [failed] = raised.named("worker_failed")
    fields: dict[str, Any] = failed["fields"]
    assert raised.code == 4
    assert failed["group"] == (working(engine) if engine.in_processes else "memory")
    assert (fields["category"], fields["node"]) == ("execution", "weigh")
    assert "hidden words" not in json.dumps(raised.events)
    [error] = [line for line in raised.said.splitlines() if line.startswith("error: ")]
    assert "node 'weigh' raised ValueError on record 250" in error
    assert raised.output == OLD


@pytest.mark.contract("PROC-03", "PROC-INT-04", "PROC-INT-08", "P5PRE-LIFE-03")
def test_a_killed_worker_is_a_crash_with_its_group_and_signal(
    crashed: Seen, engine: Engine
) -> None:
    error = failure_of(crashed)
    assert (error.category, error.group, error.ended) == (
        "crash",
        working(engine),
        "signal SIGKILL",
    )
    assert error.exit_code == 4
    [failed] = crashed.named("worker_failed")
    assert (failed.worker, failed.fields["ended"]) == (error.worker, "signal SIGKILL")
    assert (crashed.folder / "out.txt").read_text() == OLD


@pytest.mark.contract("PROC-04")
def test_nobody_follows_a_worker_that_is_lost_unless_its_group_says_so(crashed: Seen) -> None:
    spawned = [event.worker for event in crashed.named("worker_spawned")]
    assert failure_of(crashed).worker in spawned
    assert {str(worker).rpartition(".")[2] for worker in spawned} == {"1"}


@pytest.mark.contract("P5PRE-LIFE-02")
def test_a_worker_that_falls_silent_has_failed(frozen: Seen, engine: Engine) -> None:
    error = failure_of(frozen)
    assert (error.category, error.group) == ("heartbeat", working(engine))
    silence = re.match(r"no heartbeat for (\d+\.\d) s", error.message)
    assert silence
    assert float(silence[1]) >= 3
    # Stopped by SIGSTOP, it takes nothing but SIGKILL.
    modes = {event.worker: event.fields["mode"] for event in frozen.named("worker_stopped")}
    assert modes[error.worker] == "forced"


def records_in(said: str) -> int:
    """How many records a run says that it has read."""
    [count] = re.findall(r"records in ([\d,]+), out", said)
    return int(count.replace(",", ""))


@pytest.mark.contract("P5PRE-LIFE-04")
def test_a_signal_drains_the_run_within_its_budget(engine: Engine, tmp_path: Path) -> None:
    with command(engine, tmp_path) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        first = run.stdout.readline()
        run.send_signal(signal.SIGTERM)
        lines = [first.rstrip(), *run.stdout.read().splitlines()]
        said = run.stderr.read()
        assert run.wait(PATIENCE) == 143  # beyond its budget it would be 5
    assert lines == expected(records_in(said))


@pytest.mark.contract("P5PRE-LIFE-05")
def test_no_worker_outlives_a_supervisor_that_is_killed(engine: Engine, tmp_path: Path) -> None:
    with command(engine, tmp_path) as run:
        assert run.stdout is not None
        run.stdout.readline()
        workers = psutil.Process(run.pid).children()
        assert workers
        run.kill()
        _, left = psutil.wait_procs(workers, timeout=PATIENCE)
    assert [worker for worker in left if worker.status() != psutil.STATUS_ZOMBIE] == []
