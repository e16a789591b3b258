"""Workers and application code that fail: what the supervisor makes of it, on real processes."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from sk_kernel.runtime import TraceIds
from supervisor_harness import (
    MIDDLE,
    ONE_GROUP,
    PATIENT,
    Ears,
    gone,
    meanwhile,
    supervised,
)

pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.mark.contract("PROC-03", "PROC-INT-04", "PROC-INT-08", "P5PRE-LIFE-03")
def test_a_worker_killed_in_mid_run_is_named_with_its_group_and_signal(target: Path) -> None:
    with supervised(target, work={"at": 5, "do": "kill"}, every_group=PATIENT) as run:
        error = run.fails()
        assert (error.category, error.group, error.worker) == ("crash", "mid", MIDDLE)
        assert error.ended == "signal SIGKILL"
        assert error.exit_code == 4
        said = "worker mid-0.1 of group mid failed (crash): signal SIGKILL\n"
        assert str(error).startswith(said)
        [event] = run.events("worker_failed")
        assert event.worker == MIDDLE
        assert event.fields["ended"] == "signal SIGKILL"
        assert run.supervisor.partial_outputs() == (str(target.with_suffix(".partial")),)
    assert target.read_text() == "old\n"


@pytest.mark.contract("P5PRE-LIFE-03")
@pytest.mark.parametrize(
    ("do", "ended", "tail"),
    [
        ("exit", "exit code 7", ("last words",)),
        ("leave", "exit code 0", ()),
        ("shout", "exit code 1", ("line 4999", "caf\N{REPLACEMENT CHARACTER} and no end")),
    ],
)
def test_a_worker_that_ends_unasked_has_crashed_and_its_last_lines_are_kept(
    target: Path, do: str, ended: str, tail: tuple[str, ...]
) -> None:
    with supervised(target, groups=ONE_GROUP, work={"at": 5, "do": do}, every_group=PATIENT) as run:
        error = run.fails()
        assert (error.category, error.ended) == ("crash", ended)
        assert len(error.stderr_tail) <= 20
        assert set(tail) <= set(error.stderr_tail)
        assert all(f"\n  | {line}" in str(error) for line in tail)
        assert run.events("worker_stopped")[0].fields["mode"] in ("exited", "graceful")


def test_a_crash_in_c_code_shows_where_it_was(target: Path) -> None:
    with supervised(
        target, groups=ONE_GROUP, work={"at": 5, "do": "crash"}, every_group=PATIENT
    ) as run:
        assert run.fails().ended == "signal SIGSEGV"
        assert "Fatal Python error: Segmentation fault" in run.lines


def test_behind_a_failure_the_others_end_the_batch_in_work_and_begin_none(
    target: Path, ears: Ears
) -> None:
    """What the failed run asks the source's worker to do ends the wait of its node, too."""
    groups = [
        {"name": "in", "nodes": ["source:source", "split", "work", "tally_up"]},
        {"name": "out", "nodes": ["sink:sink"]},
    ]
    source = {"count": 5, "then": "wait", "ears": ears.port}
    work = {"at": 1, "do": "linger", "ears": ears.port}
    batch = {"max_records": 1, "in_flight": 9}
    with supervised(
        target,
        groups=groups,
        source=source,
        work=work,
        platform={"batch": batch},
        every_group=PATIENT,
    ) as run:

        def kill() -> None:
            said = {ears.hear_any().facts["what"] for _ in range(3)}
            assert said == {"open", "here", "waiting"}  # all have been read, the first is in work
            os.kill(run.supervisor.snapshot().group("out").workers[0].pid, signal.SIGKILL)

        with meanwhile(kill):
            assert run.fails().group == "out"
        left = run.supervisor.snapshot().group("in").workers[0]
        assert (left.records_in, left.rung) == (1, "stop")


@pytest.mark.contract("P5PRE-HANDOFF-01")
def test_a_node_that_raises_is_named_with_its_cause_and_without_its_record(target: Path) -> None:
    with supervised(target, work={"at": 5, "do": "raise"}, every_group=PATIENT) as run:
        error = run.fails()
        assert (error.category, error.group, error.node) == ("execution", "mid", "work")
        assert error.cause_type == "ValueError"
        assert error.message == "node 'work' raised ValueError on record 5"
        assert "bad record" not in str(error)
        assert any("ValueError: bad record 5" in line for line in run.lines)
        fields = run.events("worker_failed")[0].fields
        assert (fields["node"], fields["cause_type"]) == ("work", "ValueError")
        assert "bad record" not in str(fields)
    assert target.read_text() == "old\n"
    assert target.with_suffix(".partial").read_text() == "aborted\n"


@pytest.mark.parametrize(
    ("where", "fault", "worker", "node"),
    [
        ("source", "read", "in-0.1", "source:source"),
        ("source", "close", "in-0.1", "source:source"),
        ("sink", "write", "out-0.1", "sink:sink"),
        ("sink", "commit", "out-0.1", "sink:sink"),
    ],
)
def test_an_adapter_that_raises_ends_the_run_and_leaves_the_old_output(
    target: Path, where: str, fault: str, worker: str, node: str
) -> None:
    faulty: dict[str, Any] = {where: {"fails": fault}}
    with supervised(target, **faulty, every_group=PATIENT) as run:
        error = run.fails()
        assert (error.category, error.worker, error.node) == ("execution", worker, node)
        assert error.cause_type == "ValueError"
        if fault in ("read", "write"):
            assert "secret" not in str(error)
    assert target.read_text() == "old\n"
    assert target.with_suffix(".partial").read_text().endswith("aborted\n")


@pytest.mark.parametrize(
    ("do", "cause", "says"),
    [
        ("surrogate", "NodeOutputError", "MessagePack cannot carry"),
        ("huge", "RecordTooLargeError", "max_payload_bytes"),
    ],
)
def test_a_record_that_cannot_travel_names_the_node_that_made_it(
    target: Path, do: str, cause: str, says: str
) -> None:
    with supervised(
        target, work={"at": 5, "do": do}, ipc={"max_payload_bytes": 100_000}, every_group=PATIENT
    ) as run:
        error = run.fails()
        assert (error.category, error.node, error.cause_type) == ("execution", "tally_up", cause)
        assert error.trace_id == TraceIds("r1").of(5)  # what sk replay asks for
        assert says in str(error)


def test_a_node_that_calls_sys_exit_fails_the_run(target: Path) -> None:
    with supervised(
        target, groups=ONE_GROUP, work={"at": 5, "do": "system_exit"}, every_group=PATIENT
    ) as run:
        error = run.fails()
        assert (error.category, error.cause_type) == ("execution", "ApplicationExitError")


def test_a_source_that_calls_sys_exit_fails_the_run(target: Path) -> None:
    with supervised(target, groups=ONE_GROUP, source={"fails": "exit"}, every_group=PATIENT) as run:
        assert run.fails().cause_type == "ApplicationExitError"


def test_what_a_worker_started_goes_with_it_and_what_escaped_holds_nothing_up(
    target: Path, ears: Ears
) -> None:
    found: dict[str, int] = {}

    def kill() -> None:
        heard = ears.hear("here")
        found.update(heard.facts)
        os.kill(heard.pid, signal.SIGKILL)

    work = {"at": 5, "do": "children", "ears": ears.port}
    with supervised(target, work=work, every_group=PATIENT) as run:
        try:
            with meanwhile(kill):
                run.fails()
            assert gone([found["child"]])
            assert not gone([found["fugitive"]], within=0)
        finally:
            os.kill(found["fugitive"], signal.SIGKILL)


def test_a_failure_behind_the_commit_changes_nothing(target: Path, ears: Ears) -> None:
    """The sink has put its output in place: the run is complete, whoever dies from there on."""
    with supervised(target, sink={"ears": ears.port}) as run:
        run.ready()
        victims = [w.pid for w in run.supervisor.snapshot().group("mid").workers]

        def kill() -> None:
            heard = ears.hear("committed")
            os.kill(victims[0], signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # the supervisor may be faster
                os.waitid(os.P_PID, victims[0], os.WEXITED | os.WNOWAIT)
            heard.let_go()

        with meanwhile(kill):
            report = run.supervisor.run()
        assert report.outcome == "completed"
        assert run.supervisor.partial_outputs() == ()
    assert target.read_text() != "old\n"
