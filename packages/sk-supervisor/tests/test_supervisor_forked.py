"""Processes that a node, a source, or the program around a service forks: the run is not theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from supervisor_harness import APPS, PATIENCE, Command

MODES = pytest.mark.parametrize("mode", ["inline", "process_supervisor"])


def forking(mode: str, target: Path) -> dict[str, Any]:
    """Three numbers into a file, in one worker each for source, node and sink, or in memory."""
    apart = (("a", "source:source"), ("b", "see"), ("c", "sink:sink"))
    groups = [{"name": name, "nodes": [vertex]} for name, vertex in apart]
    return {
        "version": 1,
        "scenario": "forked",
        "runtime": {
            "discovery_modules": ["forked_app"],
            "platform": {
                "bootstrap": {"mode": mode},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": groups,
            },
        },
        "adapters": {
            "source": {"name": "numbers"},
            "sink": {"name": "lines", "settings": {"path": str(target)}},
        },
    }


@MODES
@pytest.mark.parametrize("place", ["node", "read"])
@pytest.mark.parametrize(("how", "code"), [("exit", 7), ("give", 1)])
def test_a_run_goes_on_whatever_becomes_of_a_process_that_is_forked_in_it(
    sk: Callable[..., Command], target: Path, mode: str, place: str, how: str, code: int
) -> None:
    command = sk("run", forking(mode, target), environment={"FORKED": f"{place} {how}"})
    ended, _, err = command.finish()
    assert ended == 0, err
    assert target.read_text().splitlines() == ["1 0", f"2 {code}", "3 0"]
    assert ("returned into the run of its parent" in err) == (how == "give")
    assert err.count("completed") == 1


#: A program that forks while it serves, and whose child leaves the block, one way or the other.
SERVES = """
import asyncio, json, os, sys
from asked_app import Ask
from asking import asked
from sk_kernel import Envelope, LifecycleCallError
from sk_supervisor import serve

groups, kind, way = json.loads(sys.argv[1]), *sys.argv[2:]
config = asked(groups and [{"name": "one", "nodes": ["first", "second", "third", "last"]}],
               modules=("asked_app",))

def inside(service):
    child = os.fork()
    if child:
        print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        print(service.request(Envelope(Ask(1))).wait(60).status, flush=True)
    elif way == "asks":
        try:
            service.request(Envelope(Ask(1)))
        except LifecycleCallError as error:
            print(error, flush=True)
    elif way == "waits":
        try:
            service.wait()
        except LifecycleCallError as error:
            print(error, flush=True)
    elif way == "exits":
        sys.exit(7)
    return child

def serves():
    with serve(config) as service:
        return inside(service)

async def serves_async():
    async with serve(config) as service:
        child = inside(service)
    if not child:
        os._exit(9)  # Python's own loop, left in a child, would be deaf in the parent
    return child

child = serves() if kind == "with" else asyncio.run(serves_async())
print("behind the block", flush=True)
sys.exit(0 if child else 8)
"""


def served(groups: bool, kind: str, way: str) -> list[str]:
    """What the program and its child have printed."""
    done = subprocess.run(
        [sys.executable, "-c", SERVES, json.dumps(groups), kind, way],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        env={"PYTHONPATH": str(APPS)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("groups", [False, True], ids=["memory", "processes"])
def test_a_child_of_who_serves_leaves_the_block_and_the_run_goes_on(groups: bool) -> None:
    assert served(groups, "with", "leaves") == [
        "behind the block",
        *("child 8", "success", "behind the block"),
    ]


def test_so_does_one_that_calls_sys_exit() -> None:
    assert served(False, "with", "exits") == ["child 7", "success", "behind the block"]


def test_so_does_one_of_who_serves_on_an_event_loop() -> None:
    assert served(False, "async with", "leaves") == ["child 9", "success", "behind the block"]


@pytest.mark.parametrize(("way", "method"), [("asks", "request"), ("waits", "wait")])
def test_a_child_of_who_serves_is_told_that_it_cannot_ask_or_wait(way: str, method: str) -> None:
    refused = f"{method}: the run is in the process that this one was forked from: call serve()"
    said = served(True, "with", way)
    assert said[0].startswith(refused)
    assert said[1:] == ["behind the block", "child 8", "success", "behind the block"]
