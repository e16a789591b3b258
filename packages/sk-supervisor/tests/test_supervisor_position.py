"""Where a worker's main thread stands, as another thread of it tells."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sk_supervisor._worker.position import _waiting

APPS = Path(__file__).parent / "apps"

#: A main thread of its own, since that of a test is full of frames that are nobody's node.
SCRIPT = """
import asyncio, threading
from sk_supervisor._worker.position import MainThreadPosition
from position_app import Look, Waits, plain

def look():
    thread = threading.Thread(target=lambda: print(position()))
    thread.start()
    thread.join()

with asyncio.Runner() as loop:
    position = MainThreadPosition({plain.__code__: "named", Waits.__call__.__code__: "waits"}, loop)
    look()
    {call}
"""


def test_a_loop_that_is_not_made_yet_is_not_made_by_a_look() -> None:
    """The main thread is about to make it, which is a frame of asyncio, too."""
    runner = asyncio.Runner()
    assert list(_waiting(runner)) == []
    assert vars(runner)["_loop"] is None


@pytest.mark.parametrize(
    ("call", "stands"),
    [
        ("plain(Look(look))", r"named \(position_app\.py, line \d+\)"),
        ("loop.run(Waits()(Look(look)))", r"waits \(position_app\.py, line \d+\)"),
        ("(lambda: look())()", ""),
    ],
    ids=["in a node", "where a coroutine waits", "in none"],
)
def test_the_node_and_its_line_are_told_where_one_is_at_work(call: str, stands: str) -> None:
    script = SCRIPT.replace("{call}", call)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=APPS, capture_output=True, text=True, check=True
    )
    before, at_work = done.stdout.split("\n")[:2]
    assert before == ""
    assert re.fullmatch(stands, at_work)
