"""The run of an unbounded source is complete by a stop that drains it, and by nothing else."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from supervisor_harness import GROUPS, Command, Ears, expected, settings
from supervisor_runs import MODES, Runs

Start = Callable[..., Command]


@pytest.fixture
def start(runs: Runs, sk: Callable[..., Command], target: Path, ears: Ears) -> Start:
    """Starts a run of twenty numbers, and gives it when its source waits behind the last."""

    def started(mode: str, name: str, **source: object) -> Command:
        configuration = settings(
            target,
            mode=mode,
            groups=GROUPS if mode == "process_supervisor" else (),
            modules=("unbounded_app", "supervised_app"),
            source={"count": 20, "then": "wait", "ears": ears.port, **source},
        )
        configuration["adapters"]["source"]["name"] = name
        environment = {"SK_RUN_DIR": str(runs.folder)}
        command = sk("run", configuration, "--run-id", "r1", environment=environment)
        if name == "unbounded":
            ears.hear("open")
        ears.hear("waiting")
        return command

    return started


@MODES
@pytest.mark.parametrize("name", ["unbounded", "deaf"])
def test_a_drained_stop_commits_all_that_the_source_has_given(
    start: Start, target: Path, mode: str, name: str
) -> None:
    command = start(mode, name)
    command.signal(signal.SIGTERM)
    code, _, err = command.finish()
    assert (code, target.read_text().splitlines()) == (0, expected(20))
    assert "completed: supervised" in err
    assert "partial output" not in err


@MODES
def test_a_stop_by_force_commits_nothing(start: Start, runs: Runs, target: Path, mode: str) -> None:
    command = start(mode, "deaf")
    assert runs.ask("stop", "--force") == (0, "run r1 has ended with exit code 5\n", "")
    assert (command.finish()[0], target.read_text()) == (5, "old\n")


@MODES
def test_an_interrupt_that_fails_commits_nothing(start: Start, target: Path, mode: str) -> None:
    command = start(mode, "unbounded", fails="interrupt")
    command.signal(signal.SIGTERM)
    code, _, err = command.finish()
    assert (code, target.read_text()) == (4, "old\n")
    assert "failed to interrupt" in err
