"""How tests are written here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from found_sleeps import Sleep, sleeps_in
from source_tree import PACKAGES, ROOT, expect_none, files_of_testbeds, parse, where

TEST_FILES = [*files_of_testbeds(), *(path for package in PACKAGES for path in package.tests())]


HERE = "testbeds/house/test_house_tests.py"
#: Where a test needs time to pass, and why: the function, in its file.
NEEDED = {
    ("packages/sk-supervisor/tests/apps/supervisor_harness.py", "until"): (
        "looks again for what nobody tells: the state of a process of the system, another worker"
    ),
    ("packages/sk-supervisor/tests/apps/supervisor_harness.py", "let_pass"): (
        "of two signals the second counts after some time only, by the clock of another process"
    ),
    ("packages/sk-observability/tests/conftest.py", "until.wait"): (
        "looks again at counts, of whose changes nobody is told"
    ),
    ("testbeds/bench/bench_process.py", "_orphans"): (
        "wait4 takes no timeout, and who is late is killed again and again"
    ),
    (HERE, "test_a_sleep_is_seen_in_every_form"): "these programs are looked at and not run",
    (HERE, "test_a_sleep_is_named_by_its_function"): "nor is this one",
}


def test_no_test_sleeps() -> None:
    expect_none(
        where(path, sleep.line)
        for path in TEST_FILES
        for sleep in sleeps_in(parse(path))
        if needed_by(path, sleep) not in NEEDED
    )


def test_every_sleep_that_is_said_to_be_needed_is_there() -> None:
    found = {needed_by(path, sleep) for path in TEST_FILES for sleep in sleeps_in(parse(path))}
    assert sorted(NEEDED.keys() - found) == []


def needed_by(path: Path, sleep: Sleep) -> tuple[str, str]:
    return path.relative_to(ROOT).as_posix(), sleep.function


def test_no_two_test_modules_share_a_name() -> None:
    names = [path.name for path in TEST_FILES if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)",
        "from time import sleep\nsleep(1)",
        "import time as t\nt.sleep(1)",
        "from time import sleep as s\ns(1)",
        "import asyncio\nasyncio.sleep(0.05)",
        "from asyncio import sleep as pause\npause(x)",
        "import threading\nthreading.Event().wait(1)",
        "from threading import Event\nEvent().wait(timeout=1)",
        "import threading\nnever = threading.Event(); never.wait(1)",
        "import threading\nend, never = 1, threading.Event(); never.wait(1)",
        "import threading\nself.never = threading.Event(); self.never.wait(1)",
        "import asyncio\nasyncio.wait_for(asyncio.Event().wait(), 1)",
        "import select\nselect.select([], [], [], 1)",
        "import subprocess, sys\nPROGRAM = 'import time; time.sleep(1)'",
        "import subprocess, sys\nPROGRAM = f'import time; time.sleep({1}); print({2})'",
        "import subprocess, sys\nPROGRAM = 'for: import time; time.sleep(1)'",
    ],
)
def test_a_sleep_is_seen_in_every_form(source: str) -> None:
    assert [(sleep.line, sleep.function) for sleep in sleeps_in(ast.parse(source))] == [(2, "")]


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasyncio.sleep(0)",
        "import threading\nthreading.Event().wait()",
        "import threading\ncame = threading.Event(); work(came.set); came.wait(1)",
        "import threading\ncame = threading.Event(); work(came); came.wait(1)",
        "import subprocess\nsubprocess.Popen(['true']).wait(1)",
        "import select\nselect.select([pipe], [], [], 1)",
        "'Wait, and sleep, for what comes.'",
    ],
)
def test_a_wait_for_what_comes_is_no_sleep(source: str) -> None:
    assert sleeps_in(ast.parse(source)) == []


def test_a_sleep_is_named_by_its_function() -> None:
    source = "import time\nclass A:\n  def b(self):\n    def c(): time.sleep(1)\n"
    assert sleeps_in(ast.parse(source)) == [Sleep(4, "A.b.c")]
