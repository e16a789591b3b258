"""The zoo's own promises: it sees what is broken, and what is left behind."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sk_supervisor import RunRefusedError
from sk_supervisor.testing import BEASTS, Beast, Visit, Zoo, nothing_left_behind
from supervisor_harness import settings

STOPPED = BEASTS["stopped"]


def told(event: str, seconds: int, **fields: Any) -> dict[str, Any]:
    time = f"2026-01-01T00:00:{seconds:02}.000000Z"
    return {"event": event, "time": time, "group": "mid", "worker": "mid-0.1", "fields": fields}


def visit(**changes: Any) -> Visit:
    events = (
        told("worker_failed", 3, category="heartbeat", vitals="stopped"),
        told("worker_stopped", 4, rung="kill"),
    )
    began = 1767225600.0  # 2026-01-01T00:00:00Z
    right = Visit(
        beast=STOPPED,
        group="mid",
        exit_code=4,
        stderr="what it said",
        events=events,
        out_at=(began,),
        left=(),
    )
    return replace(right, **changes)


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"node": "wrk", "beast": "exits_0"}, r"^node: unknown_node: .* work; got wrk$"),
        ({"node": "work", "beast": "lion"}, r"^beast: unknown_beast: .*, leaks_memory; got lion$"),
    ],
)
def test_what_the_zoo_does_not_have_is_refused_with_what_it_has(
    tmp_path: Path, target: Path, named: Any, problem: str
) -> None:
    with pytest.raises(RunRefusedError, match=problem):
        Zoo(tmp_path / "zoo").run(settings(target), **named)


def test_a_visit_that_went_as_promised_passes() -> None:
    right = visit()
    right.check()
    assert (right.category, right.rung, right.seconds()) == ("heartbeat", "kill", 3.0)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exit_code": 0}, "exit code: expected 4, found 0"),
        ({"events": ()}, "category: expected 'heartbeat', found ''"),
        ({"events": (told("worker_failed", 3, category="crash"),)}, "found 'crash'"),
        (
            {"events": (told("worker_failed", 3, category="heartbeat", vitals="idle"),)},
            "vitals: expected 'stopped', found 'idle'",
        ),
        (
            {"events": (told("worker_failed", 59, category="heartbeat", vitals="stopped"),)},
            "it took 59.0 s, over 3 s and 5 s of slack",
        ),
        ({"out_at": (), "node": "add_up", "at": 100}, "no worker's 'add_up' got record 100"),
        ({"left": ("process 7: sleep",)}, "left behind: process 7: sleep"),
        ({"beast": BEASTS["ignores_sigterm"]}, "rung: expected 'kill'"),
        ({"beast": BEASTS["segfault"]}, "ended: expected 'signal SIGSEGV', found None"),
    ],
)
def test_whatever_is_not_as_promised_is_said(changes: dict[str, Any], problem: str) -> None:
    if changes.get("beast") is BEASTS["ignores_sigterm"]:
        changes = {**changes, "events": (told("worker_stopped", 4, rung="stop"),)}
    with pytest.raises(AssertionError) as caught:
        visit(**changes).check()
    assert problem in str(caught.value)
    assert "what it said" in str(caught.value)


def test_the_slack_is_the_zoo_s_or_the_check_s() -> None:
    late = told("worker_failed", 12, category="heartbeat", vitals="stopped")
    slow = {"events": (late, told("worker_stopped", 13, rung="kill"))}
    for right in (visit(**slow, slack_seconds=9.0), visit(**slow)):
        right.check(slack_seconds=9.0)
    visit(**slow, slack_seconds=9.0).check()
    for wrong in (visit(**slow), visit(**slow, slack_seconds=8.9)):
        with pytest.raises(AssertionError, match=r"took 12.0 s, over 3 s and (5|8.9) s of slack"):
            wrong.check()
    with pytest.raises(AssertionError, match="over 3 s and 0 s of slack"):
        visit(**slow, slack_seconds=9.0).check(slack_seconds=0)


def test_a_zoo_passes_its_slack_on(tmp_path: Path, target: Path) -> None:
    zoo = Zoo(tmp_path / "zoo", slack_seconds=15)
    visit = zoo.run(settings(target), node="work", beast="exits_0", at=3)
    assert visit.slack_seconds == 15
    visit.check()


def test_a_run_in_the_zoo_may_have_other_values_than_are_configured(
    tmp_path: Path, target: Path
) -> None:
    other = tmp_path / "other.txt"
    overrides = {"adapters.sink.settings.path": str(other), "scenario": {"name": "${ENV:HOME}"}}
    zoo = Zoo(tmp_path / "zoo", slack_seconds=15)
    zoo.run(settings(target), node="work", beast="grandchildren", overrides=overrides).check()
    assert other.exists()
    assert target.read_text() == "old\n"


def test_a_beast_that_needs_restarts_is_refused_in_a_group_that_has_none(
    tmp_path: Path, target: Path
) -> None:
    configuration = settings(target)
    (first, *_) = configuration["runtime"]["platform"]["process_groups"]
    nodes = ["source:source", "work", "split", "tally_up", "sink:sink"]
    configuration["runtime"]["platform"]["process_groups"] = [{**first, "nodes": nodes}]
    with pytest.raises(RunRefusedError, match="restart_loses_state") as caught:
        Zoo(tmp_path / "zoo").run(configuration, node="work", beast="crash_loop")
    assert {fault.category for fault in caught.value.faults} == {"restart_loses_state"}


def test_every_beast_has_a_deed_and_a_promise() -> None:
    from sk_supervisor.testing._deeds import AT_IMPORT, ON_A_RECORD

    assert {*AT_IMPORT, *ON_A_RECORD} == set(BEASTS)
    for name, beast in BEASTS.items():
        assert isinstance(beast, Beast)
        assert (beast.name, str(beast)) == (name, name)
        assert beast.does
        assert bool(beast.category) == (beast.exit_code in (3, 4))


def test_a_block_that_leaves_nothing_passes() -> None:
    with nothing_left_behind():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        read_end, write_end = os.pipe()
        os.close(read_end)
        os.close(write_end)
        subprocess.run(["true"], check=True)


def test_what_is_gone_soon_after_is_not_left() -> None:
    wait = threading.Event()
    thread = threading.Thread(target=wait.wait)
    timer = threading.Timer(0.2, wait.set)
    with nothing_left_behind(within_seconds=30):
        thread.start()
        timer.start()
    thread.join()


def test_a_thread_a_descriptor_and_a_process_that_are_left_are_named() -> None:
    wait = threading.Event()
    thread = threading.Thread(target=wait.wait, name="forgotten")
    block = nothing_left_behind(within_seconds=0.1)
    block.__enter__()
    thread.start()
    ends = os.pipe()
    child = subprocess.Popen(["sleep", "1000"])
    with pytest.raises(AssertionError, match="forgotten") as caught:
        block.__exit__(None, None, None)
    for number in ends:
        os.close(number)
        assert f"descriptor {number}" in str(caught.value)
    assert f"process {child.pid}" in str(caught.value)
    wait.set()
    thread.join()
    child.kill()
    child.wait()


def test_what_is_open_under_a_number_that_was_closed_is_left(tmp_path: Path) -> None:
    block = nothing_left_behind(within_seconds=0)
    with (tmp_path / "before").open("w") as file, (tmp_path / "since").open("w") as other:
        block.__enter__()
        os.dup2(other.fileno(), file.fileno())
        with pytest.raises(AssertionError, match=f"^left behind:\n  descriptor {file.fileno()}$"):
            block.__exit__(None, None, None)


def test_a_block_that_raises_says_so_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="mine"), nothing_left_behind():
        raise ValueError("mine")


def test_a_marked_process_is_found_wherever_it_went() -> None:
    from sk_supervisor.testing._leftovers import marked

    mark = f"{os.getpid()}"
    environment = {**os.environ, "SK_TEST_MARK": mark}
    pipe = subprocess.PIPE
    fugitive = subprocess.Popen(
        ["cat"], env=environment, start_new_session=True, stdin=pipe, stdout=pipe
    )
    assert fugitive.stdin
    assert fugitive.stdout
    try:
        # Until it runs, though Popen has returned, the system may show no environment of it.
        os.write(fugitive.stdin.fileno(), b"there\n")
        assert fugitive.stdout.readline() == b"there\n"
        [found] = marked("SK_TEST_MARK", mark, within_seconds=0)
        assert str(fugitive.pid) in found
    finally:
        fugitive.kill()
        fugitive.communicate()
    assert marked("SK_TEST_MARK", mark, within_seconds=30) == []
